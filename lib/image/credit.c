/*
 * credit - keeps whose work a picture is, and nothing else.
 *
 * Positions, faces, serial numbers and editing histories never reach a
 * variant.  What survives: the EXIF fields Copyright and Artist, and dc:rights
 * of XMP (or, without that, the IPTC copyright notice) as XMP.  Fields are
 * deleted from the image, because webpsave's strip does nothing in 8.14.1.
 *
 * BUGS: libvips 8.14 writes neither EXIF nor XMP into GIF and JPEG XL.
 */
#include "image/pipeline.h"

#include "base/text.h"

#include <string.h>

#define EXIF_COPYRIGHT "exif-ifd0-Copyright"
#define EXIF_ARTIST "exif-ifd0-Artist"

enum {
	XMP_SCAN_MAX = 256 * 1024,	/* bytes; one JPEG segment has 64 kB */
	RIGHTS_MAX = 1024		/* bytes of a copyright notice, escaped */
};

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

	if (text.length == 0 || text.length > RIGHTS_MAX || !span_is_utf8(text))
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
 * specification part 1, section 8.4).  TEXT stays escaped as it is. */
static bool
find_xmp_rights(struct span xmp, struct text *rights)
{
	struct span at = after(after(after(xmp, "<dc:rights"), "<rdf:li"), ">");
	struct span text = at.at == NULL ? at : span_cut(&at, '<');

	/* Without the end tag span_cut() gave all the rest. */
	if (text.at == NULL || at.at == NULL || !is_plain_xml_text(text))
		return false;
	text_add_bytes(rights, text.at, text.length);
	return true;
}

static void
add_escaped(struct text *out, unsigned code)
{
	if (code == '<')
		text_add(out, "&lt;");
	else if (code == '&')
		text_add(out, "&amp;");
	else if (code >= ' ' && code < 127)
		text_add_char(out, (char)code);
	else if (code >= 160)
		text_printf(out, "&#%u;", code);
}

/* Data set 2:116 of IPTC IIM 4.2: 1C 02 74, two bytes of length, then text in
 * UTF-8 or, without a declaration that anybody would write, Latin-1. */
static bool
find_iptc_notice(struct span iptc, struct text *rights)
{
	struct span at = after(iptc, "\x1C\x02\x74");
	struct span notice;
	size_t length;

	if (at.at == NULL || at.length < 2)
		return false;
	length = (size_t)(unsigned char)at.at[0] << 8 | (unsigned char)at.at[1];
	if (length == 0 || length > RIGHTS_MAX || length > at.length - 2)
		return false;
	notice = span_range(at.at + 2, length);
	for (size_t i = 0; i < length; i++)
		if (span_is_utf8(notice) && (unsigned char)notice.at[i] >= 128)
			text_add_char(rights, notice.at[i]);
		else
			add_escaped(rights, (unsigned char)notice.at[i]);
	return rights->length > 0 && !rights->was_cut;
}

static struct span
blob(VipsImage *image, const char *name, size_t max)
{
	const void *bytes;
	size_t length;

	if (vips_image_get_typeof(image, name) == 0 ||
	    vips_image_get_blob(image, name, &bytes, &length) == -1) {
		vips_error_clear();
		return (struct span){ NULL, 0 };
	}
	return span_range(bytes, length < max ? length : max);
}

/* ---- keeping it ---------------------------------------------------------------------- */

static void
add_xmp(VipsImage *image, const struct text *rights)
{
	g_autofree char *packet = g_strdup_printf(
	    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
	    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
	    "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">"
	    "<dc:rights><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:rights>"
	    "</rdf:Description></rdf:RDF></x:xmpmeta>", rights->at);

	vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, packet, strlen(packet));
}

/* libvips keeps an EXIF field as text, in a form that it reads back itself. */
static bool
is_kept(const char *field)
{
	return strcmp(field, EXIF_COPYRIGHT) == 0 || strcmp(field, EXIF_ARTIST) == 0;
}

static bool
remove_the_rest(VipsImage *image)
{
	bool has_exif = false;
	char **fields = vips_image_get_fields(image);

	for (char **field = fields; *field != NULL; field++)
		if (is_kept(*field))
			has_exif = true;
		else
			vips_image_remove(image, *field);	/* size, format and such stay */
	g_strfreev(fields);
	return has_exif;
}

bool
picture_keep_credit(VipsImage **image, bool *has_credit, struct failure *why)
{
	struct arena *arena;
	struct text rights;
	VipsImage *own;
	bool has_rights;

	/* Fields are only ever edited on a header of one's own. */
	if (vips_copy(*image, &own, "xres", 1.0, "yres", 1.0, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "copy");
	image_replace(image, own);
	arena = arena_new();
	text_init(&rights, arena, RIGHTS_MAX);
	has_rights = find_xmp_rights(blob(own, VIPS_META_XMP_NAME, XMP_SCAN_MAX), &rights) ||
	    find_iptc_notice(blob(own, VIPS_META_IPTC_NAME, XMP_SCAN_MAX), &rights);
	*has_credit = remove_the_rest(own);
	if (has_rights) {
		add_xmp(own, &rights);
		*has_credit = true;
	}
	arena_free(arena);
	return true;
}
