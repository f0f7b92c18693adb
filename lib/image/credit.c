/*
 * Copyright notice and author are taken from XMP (dc:rights, dc:creator), else
 * IPTC, else EXIF, else the text chunks of PNG.  They are written as XMP, which every
 * format carries; and, where they were there, as EXIF too, whose ASCII loses the
 * accents.
 *
 * BUGS: libvips 8.14 reads no metadata of GIF and JPEG XL, and of TIFF only XMP
 * and IPTC: a credit that stands elsewhere is lost.
 */
#include "image/credit.h"

#include "base/text.h"
#include "image/fields.h"

#include <stdio.h>
#include <string.h>

enum {
	METADATA_SCAN_MAX = 256 * 1024,	/* bytes; one JPEG segment has 64 kB */
	CREDIT_MAX = 1024		/* bytes of one text, escaped for XML */
};

/* One thing that is kept, and where the three standards have it. */
struct part {
	const char *exif_field;		/* libvips' name of it */
	const char *iptc_marker;	/* IPTC IIM 4.2: 1C, record, data set */
	const char *xmp_element, *xmp_container, *xmp_item;
	const char *png_keyword;	/* PNG specification, section 11.3.3.1 */
};

static const struct part parts[] = {
	{ "exif-ifd0-Copyright", "\x1C\x02\x74", "dc:rights", "rdf:Alt", "rdf:li xml:lang=\"x-default\"",
	    "-Copyright" },
	{ "exif-ifd0-Artist", "\x1C\x02\x50", "dc:creator", "rdf:Seq", "rdf:li", "-Author" },
};

enum { PART_COUNT = G_N_ELEMENTS(parts) };

/* ---- finding it --------------------------------------------------------------------- */

/* What comes after `needle`; at == NULL when it is not there. */
static struct span
after(struct span haystack, const char *needle)
{
	size_t length = strlen(needle);
	const char *found = haystack.at == NULL ? NULL :
	    memmem(haystack.at, haystack.length, needle, length);

	if (found == NULL)
		return (struct span){ NULL, 0 };
	found += length;
	return span_range(found, (size_t)(haystack.at + haystack.length - found));
}

/* References to entities that the document would have to define are no text. */
static bool
is_plain_xml_text(struct span text)
{
	static const char *const references[] = { "amp;", "lt;", "gt;", "quot;", "apos;", "#" };
	struct span rest = text;

	if (text.length == 0 || text.length > CREDIT_MAX || !span_is_utf8(text))
		return false;
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] < ' ' && text.at[i] != '\n' && text.at[i] != '\t')
			return false;
	while ((rest = after(rest, "&")).at != NULL) {
		bool is_known = false;

		for (size_t i = 0; i < G_N_ELEMENTS(references); i++)
			is_known = is_known || span_starts_with(rest, references[i]);
		if (!is_known)
			return false;
	}
	return true;
}

/* <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">TEXT</rdf:li> (XMP
 * specification part 1, section 7.5).  TEXT stays escaped as it is. */
static bool
find_in_xmp(struct span xmp, const struct part *part, struct text *found)
{
	char start[32], end[32];
	struct span element, at, text;

	snprintf(start, sizeof(start), "<%s>", part->xmp_element);
	snprintf(end, sizeof(end), "</%s>", part->xmp_element);
	element = after(xmp, start);
	if (element.at == NULL || after(element, end).at == NULL)
		return false;
	element.length = (size_t)(after(element, end).at - element.at);
	at = after(after(element, "<rdf:li"), ">");
	if (at.at == NULL)
		return false;
	text = span_cut(&at, '<');
	if (!is_plain_xml_text(text))
		return false;
	text_add_bytes(found, text.at, text.length);
	return true;
}

/* A character of UTF-8 as it is, of Latin-1 by its number (the first 256 of
 * Unicode); controls are dropped. */
static void
add_escaped(struct text *out, struct span text)
{
	bool is_utf8 = span_is_utf8(text);

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '<')
			text_add(out, "&lt;");
		else if (c == '>')
			text_add(out, "&gt;");
		else if (c == '&')
			text_add(out, "&amp;");
		else if (c >= 128 && !is_utf8)
			text_printf(out, "&#%u;", c);
		else if (c >= ' ' && c != 127)
			text_add_char(out, (char)c);
	}
}

/* The marker, two bytes of length, the text. */
static bool
find_in_iptc(struct span iptc, const struct part *part, struct text *found)
{
	struct span at = after(iptc, part->iptc_marker);
	size_t length;

	if (at.at == NULL || at.length < 2)
		return false;
	length = (size_t)(unsigned char)at.at[0] << 8 | (unsigned char)at.at[1];
	if (length == 0 || length > CREDIT_MAX || length > at.length - 2)
		return false;
	add_escaped(found, span_range(at.at + 2, length));
	return true;
}

/* libvips holds the field as "VALUE (VALUE FOR PEOPLE, ASCII, 12 components,
 * 12 bytes)".  Values can hold brackets and commas, so the bytes, which count
 * a final NUL, say how long the value is. */
static struct span
exif_value(VipsImage *image, const struct part *part)
{
	const char *field, *tail;
	unsigned bytes;

	if (!fields_have(image, part->exif_field) ||
	    vips_image_get_string(image, part->exif_field, &field) == -1) {
		vips_error_clear();
		return (struct span){ NULL, 0 };
	}
	tail = strrchr(field, ',');
	if (tail == NULL || sscanf(tail, ", %u bytes)", &bytes) != 1 || bytes < 2 || bytes > CREDIT_MAX ||
	    bytes > strlen(field))
		return (struct span){ NULL, 0 };
	return span_trim(span_range(field, bytes - 1));
}

static bool
find_in_exif(VipsImage *image, const struct part *part, struct text *found)
{
	struct span value = exif_value(image, part);

	add_escaped(found, value);
	return value.length > 0;
}

/* Only so far is a packet searched. */
static struct span
beginning(struct span bytes)
{
	return bytes.length <= METADATA_SCAN_MAX ? bytes : span_range(bytes.at, METADATA_SCAN_MAX);
}

/* libvips calls them "png-comment-0-Copyright", in the order of the file. */
static void
find_in_png(VipsImage *image, const struct part *part, struct text *found)
{
	char *field = fields_find(image, "png-comment-", part->png_keyword);
	const char *value;

	if (field == NULL)
		return;
	if (vips_image_get_string(image, field, &value) == -1)
		vips_error_clear();
	else if (strlen(value) <= CREDIT_MAX)
		add_escaped(found, span_of(value));
	g_free(field);
}

/* Adds nothing when there is nothing. */
static void
find(VipsImage *image, const struct part *part, struct text *found)
{
	if (!find_in_xmp(beginning(fields_xmp(image)), part, found) &&
	    !find_in_iptc(beginning(fields_blob(image, VIPS_META_IPTC_NAME)), part, found) &&
	    !find_in_exif(image, part, found))
		find_in_png(image, part, found);
	/* Half of "&amp;" would spoil the whole packet. */
	if (found->was_cut)
		text_init(found, found->arena, CREDIT_MAX);
}

/* ---- keeping it ---------------------------------------------------------------------- */

static void
set_xmp(VipsImage *image, const struct text *found, struct arena *arena)
{
	struct text packet;

	text_init(&packet, arena, PART_COUNT * (CREDIT_MAX + 256) + 512);
	text_add(&packet, "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
	    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
	    "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">");
	for (unsigned i = 0; i < PART_COUNT; i++)
		if (found[i].length > 0)
			text_printf(&packet, "<%s><%s><%s>%s</rdf:li></%s></%s>", parts[i].xmp_element,
			    parts[i].xmp_container, parts[i].xmp_item, found[i].at,
			    parts[i].xmp_container, parts[i].xmp_element);
	text_add(&packet, "</rdf:Description></rdf:RDF></x:xmpmeta>");
	vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, packet.at, packet.length);
}

/* libvips drops a last pair of brackets, which it takes for its own. */
static void
set_exif(VipsImage *image, const struct part *part, struct span value, struct arena *arena)
{
	if (value.length > 0)
		vips_image_set_string(image, part->exif_field,
		    arena_printf(arena, "%.*s (ASCII)", SPAN_ARGS(value)));
}

bool
credit_copy(VipsImage *image, VipsImage *original, bool with_exif)
{
	struct arena *arena = arena_new();
	struct text found[PART_COUNT];
	bool has_credit = false;

	for (unsigned i = 0; i < PART_COUNT; i++) {
		text_init(&found[i], arena, CREDIT_MAX);
		find(original, &parts[i], &found[i]);
		has_credit = has_credit || found[i].length > 0;
		if (with_exif)
			set_exif(image, &parts[i], exif_value(original, &parts[i]), arena);
	}
	if (has_credit)
		set_xmp(image, found, arena);
	arena_free(arena);
	return has_credit;
}
