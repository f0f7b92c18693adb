/*
 * bomb - refuses small files that cost a decoder gigabytes or minutes, which the
 * size of the picture does not tell.
 *
 * libpng inflates all metadata in front of the pixels, 50 MB a chunk, a thousand
 * chunks; librsvg builds a tree of 1 to 5 kB for each element, a million of them,
 * entities multiply those, and style sheets the work; libjpeg goes over the whole
 * picture for each scan, of which a few bytes are enough; libvips counts through all
 * frames of a WebP before each of them.  The other decoders take no more than a
 * file's own length for its header.  Here the file is only read through, in pieces.
 */
#include "image/pipeline.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

/* At most; fewer at the end of the file.  -1: *why is filled. */
static ssize_t
read_at(int input, void *bytes, size_t length, off_t at, struct failure *why)
{
	ssize_t got;

	do
		got = pread(input, bytes, length, at);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		fail(why, FAIL_INTERNAL, "cannot read the original: %s", strerror(errno));
	return got;
}

/* ---- JPEG (ITU-T T.81 annex B): scans ----------------------------------------------------- */

enum {
	JPEG_SCANS_MAX = 100,	/* usual are 10, and 20 when somebody searched for the best */
	JPEG_SOI = 0xD8,
	JPEG_EOI = 0xD9,
	JPEG_SOS = 0xDA
};

/* A part of the file, to look for something from the beginning to the end. */
struct window {
	int input;
	off_t start;
	size_t length;
	uint8_t bytes[64 << 10];
};

/* The bytes from `at` on, at least two unless the file ends; none at its end.
 * False: *why is filled. */
static bool
window_move(struct window *window, off_t at, const uint8_t **bytes, size_t *length, struct failure *why)
{
	if (at < window->start || at + 2 > window->start + (off_t)window->length) {
		ssize_t got = read_at(window->input, window->bytes, sizeof(window->bytes), at, why);

		if (got == -1)
			return false;
		window->start = at;
		window->length = (size_t)got;
	}
	*bytes = window->bytes + (at - window->start);
	*length = window->length - (size_t)(at - window->start);
	return true;
}

/* Between segments and within the codes of a scan there are no markers but 0xFF00,
 * which is a code, 0xFFFF, which fills, and RST0 to RST7. */
static bool
is_marker(uint8_t code)
{
	return code > 0x01 && code != 0xFF && (code < 0xD0 || code > JPEG_SOI);
}

/* Moves *at behind the next marker; *marker is 0 at the end of the file. */
static bool
jpeg_find_marker(struct window *window, off_t *at, uint8_t *marker, struct failure *why)
{
	const uint8_t *bytes, *found;
	size_t length;

	*marker = 0;
	do {
		if (!window_move(window, *at, &bytes, &length, why))
			return false;
		if (length < 2)
			return true;
		/* The last byte is looked at with the one that follows it. */
		found = memchr(bytes, 0xFF, length - 1);
		*at += found == NULL ? (off_t)length - 1 : found - bytes + 1;
	} while (found == NULL || !is_marker(found[1]));
	*marker = found[1];
	*at += 1;
	return true;
}

static bool
jpeg_is_no_bomb(int input, struct failure *why)
{
	static struct window window;
	unsigned scans = 0;
	off_t at = 0;

	window = (struct window){ .input = input };
	while (scans <= JPEG_SCANS_MAX) {
		const uint8_t *bytes;
		size_t length;
		uint8_t marker;

		if (!jpeg_find_marker(&window, &at, &marker, why) || !window_move(&window, at, &bytes, &length, why))
			return false;
		if (marker == 0 || marker == JPEG_EOI || length < 2)
			return true;
		scans += marker == JPEG_SOS;
		at += bytes[0] << 8 | bytes[1];
	}
	return fail(why, FAIL_UNPROCESSABLE, "the JPEG has more scans than the limit of %d", JPEG_SCANS_MAX);
}

/* ---- WebP (WebP Container Specification): chunks, of which each frame is one --------------- */

enum {
	RIFF_HEADER_BYTES = 12,		/* "RIFF", size, "WEBP" */
	RIFF_CHUNK_HEADER_BYTES = 8,	/* name, size */
	WEBP_CHUNKS_MAX = 5000		/* some more than source.c allows frames */
};

static bool
webp_is_no_bomb(int input, struct failure *why)
{
	off_t at = RIFF_HEADER_BYTES;

	for (unsigned chunks = 0; chunks < WEBP_CHUNKS_MAX; chunks++) {
		uint8_t bytes[RIFF_CHUNK_HEADER_BYTES];
		ssize_t got = read_at(input, bytes, sizeof(bytes), at, why);
		size_t length;

		if (got == -1)
			return false;
		if (got < RIFF_CHUNK_HEADER_BYTES)
			return true;
		length = bytes[4] | (size_t)bytes[5] << 8 | (size_t)bytes[6] << 16 | (size_t)bytes[7] << 24;
		/* Padded to an even length. */
		at += (off_t)(RIFF_CHUNK_HEADER_BYTES + length + (length & 1));
	}
	return fail(why, FAIL_UNPROCESSABLE, "the WebP has more frames and other chunks than the limit of %d",
	    WEBP_CHUNKS_MAX);
}

/* ---- PNG (ISO/IEC 15948): chunks in front of the pixels ---------------------------------- */

enum {
	PNG_SIGNATURE_BYTES = 8,
	PNG_CHUNK_HEADER_BYTES = 8,	/* length, name */
	PNG_CHUNK_CHECK_BYTES = 4,
	PNG_CHUNKS_MAX = 1000,
	PNG_METADATA_MAX = 16 << 20,	/* all together, as stored and inflated */
	PNG_KEYWORD_MAX = 1024		/* 79 characters; iTXt adds a language and a translation */
};

/* Where the deflated part of a chunk begins, or 0 when nothing is deflated: after
 * a keyword and a method (zTXt, iCCP), or a keyword, two flags and two texts (iTXt). */
static size_t
deflated_start(const char name[4], const uint8_t *content, size_t length)
{
	bool is_text = memcmp(name, "iTXt", 4) == 0;
	const uint8_t *end = memchr(content, '\0', length);
	size_t at = end == NULL ? length : (size_t)(end - content) + (is_text ? 3 : 2);

	if (!is_text && memcmp(name, "zTXt", 4) != 0 && memcmp(name, "iCCP", 4) != 0)
		return 0;
	if (is_text && (at > length || content[at - 2] == 0))
		return 0;
	for (int texts = is_text ? 2 : 0; texts > 0 && at < length; texts--) {
		end = memchr(content + at, '\0', length - at);
		at = end == NULL ? length : (size_t)(end - content) + 1;
	}
	return at < length ? at : 0;
}

/* Adds what this part of the file inflates to, and stops above the limit.  What
 * is no deflated data ends here; libpng says what is wrong with it. */
static bool
add_inflated(int input, off_t at, off_t end, size_t *total, struct failure *why)
{
	GConverter *inflater = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB));
	static uint8_t deflated[64 << 10], inflated[256 << 10];
	GConverterResult result = G_CONVERTER_CONVERTED;
	bool is_read = true;

	while (result == G_CONVERTER_CONVERTED && at < end && *total <= PNG_METADATA_MAX) {
		size_t wanted = VIPS_MIN(sizeof(deflated), (size_t)(end - at)), used = 0, made = 0;
		ssize_t got = read_at(input, deflated, wanted, at, why);

		is_read = got != -1;
		if (got <= 0)
			break;
		result = g_converter_convert(inflater, deflated, (size_t)got, inflated, sizeof(inflated),
		    G_CONVERTER_NO_FLAGS, &used, &made, NULL);
		at += (off_t)used;
		*total += made;
	}
	g_object_unref(inflater);
	return is_read;
}

static bool
png_is_no_bomb(int input, struct failure *why)
{
	off_t at = PNG_SIGNATURE_BYTES;
	size_t metadata = 0;

	for (unsigned chunks = 0; chunks < PNG_CHUNKS_MAX; chunks++) {
		uint8_t bytes[PNG_CHUNK_HEADER_BYTES + PNG_KEYWORD_MAX];
		const char *name = (const char *)bytes + 4;
		ssize_t got = read_at(input, bytes, sizeof(bytes), at, why);
		size_t length, start;

		if (got == -1)
			return false;
		if (got < PNG_CHUNK_HEADER_BYTES || memcmp(name, "IDAT", 4) == 0)
			return true;
		length = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
		at += PNG_CHUNK_HEADER_BYTES;
		start = deflated_start(name, bytes + PNG_CHUNK_HEADER_BYTES,
		    VIPS_MIN(length, (size_t)got - PNG_CHUNK_HEADER_BYTES));
		metadata += length;
		if (start > 0 && !add_inflated(input, at + (off_t)start, at + (off_t)length, &metadata, why))
			return false;
		if (metadata > PNG_METADATA_MAX)
			return fail(why, FAIL_UNPROCESSABLE,
			    "the PNG's metadata is, or inflates to, more than the limit of %d bytes", PNG_METADATA_MAX);
		at += (off_t)(length + PNG_CHUNK_CHECK_BYTES);
	}
	return fail(why, FAIL_UNPROCESSABLE, "the PNG has more chunks before its pixels than the limit of %d",
	    PNG_CHUNKS_MAX);
}

/* ---- SVG ------------------------------------------------------------------------------------ */

enum {
	SVG_BYTES_MAX = 8 << 20,
	SVG_ELEMENTS_MAX = 50000,	/* a quarter of a gigabyte in librsvg 2.54 */
	SVG_ATTRIBUTES_MAX = 1000,	/* of one element: each is compared with all before it */
	SVG_TEXT_BYTES_MAX = 1 << 20,	/* Pango takes 200 bytes and more for each, and a microsecond */
	SVG_MATCHES_MAX = 20000000,	/* of selectors with elements, a second of work */
	SVG_ENTITY_BYTES_MAX = 256	/* repeated by three bytes each */
};

/* Illustrator names its namespaces by entities, in plain text.  What multiplies
 * is an entity with markup, with other entities, or with a lot of text in it.
 * `rest` begins after "<!ENTITY"; the value is the first thing between quotes
 * (XML 1.0 section 4.2). */
static bool
is_harmless_entity(struct span rest)
{
	size_t start = 0, length = 0;

	while (start < rest.length && rest.at[start] != '"' && rest.at[start] != '\'')
		start++;
	while (start + 1 + length < rest.length && rest.at[start + 1 + length] != rest.at[start])
		length++;
	return length == 0 || (length <= SVG_ENTITY_BYTES_MAX &&
	    memchr(rest.at + start + 1, '<', length) == NULL && memchr(rest.at + start + 1, '&', length) == NULL);
}

struct svg_parts {
	unsigned elements, attributes;	/* attributes: of the element that has most */
	size_t text_bytes;		/* outside of tags, entities as long as they may be */
	size_t selectors;		/* in style sheets at most so many, entities likewise */
};

static void
count_text(struct svg_parts *parts, const char *at, const char *end)
{
	for (; at < end; at++) {
		size_t bytes = *at == '&' ? SVG_ENTITY_BYTES_MAX : !g_ascii_isspace(*at);

		parts->text_bytes += bytes;
		parts->selectors += *at == '{' || *at == ',' || *at == '&' ? bytes : 0;
	}
}

/* Behind the markup that ends with `end`, or the end of the text. */
static const char *
skip_until(const char *at, const char *text_end, const char *end)
{
	const char *found = memmem(at, (size_t)(text_end - at), end, strlen(end));

	return found == NULL ? text_end : found + strlen(end);
}

/* From "<" on; values between quotes may hold a ">".  A document type ends where its
 * declarations begin, which are like tags. */
static const char *
skip_tag(const char *at, const char *text_end, struct svg_parts *parts)
{
	bool is_element = text_end - at > 1 && (g_ascii_isalpha(at[1]) || at[1] == '_' || (at[1] & 0x80) != 0);
	bool is_declaration = text_end - at > 1 && at[1] == '!';
	unsigned attributes = 0;
	char quote = '\0';

	for (; at < text_end && (quote != '\0' || (*at != '>' && (!is_declaration || *at != '['))); at++) {
		attributes += quote == '\0' && *at == '=';
		if (quote != '\0')
			quote = *at == quote ? '\0' : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
	}
	parts->elements += is_element;
	parts->attributes = VIPS_MAX(parts->attributes, attributes);
	return at < text_end ? at + 1 : text_end;
}

static struct svg_parts
svg_count(struct span text)
{
	const char *at = text.at, *end = text.at + text.length;
	struct svg_parts parts = { 0 };

	while (at < end) {
		struct span rest = span_range(at, (size_t)(end - at));

		if (span_starts_with(rest, "<!--")) {
			at = skip_until(at + strlen("<!--"), end, "-->");
		} else if (span_starts_with(rest, "<?")) {
			at = skip_until(at, end, "?>");
		} else if (span_starts_with(rest, "<![CDATA[")) {
			at = skip_until(at, end, "]]>");
			count_text(&parts, rest.at, at);
		} else if (*at == '<') {
			at = skip_tag(at, end, &parts);
		} else {
			at = memchr(at, '<', rest.length);
			at = at == NULL ? end : at;
			count_text(&parts, rest.at, at);
		}
	}
	return parts;
}

static bool
svg_has_few_parts(struct span text, struct failure *why)
{
	struct svg_parts parts = svg_count(text);

	if (parts.elements > SVG_ELEMENTS_MAX)
		return fail(why, FAIL_UNPROCESSABLE, "the SVG has %u elements, the limit is %d", parts.elements,
		    SVG_ELEMENTS_MAX);
	if (parts.attributes > SVG_ATTRIBUTES_MAX)
		return fail(why, FAIL_UNPROCESSABLE, "an element of the SVG has %u attributes, the limit is %d",
		    parts.attributes, SVG_ATTRIBUTES_MAX);
	if (parts.text_bytes > SVG_TEXT_BYTES_MAX)
		return fail(why, FAIL_UNPROCESSABLE, "the SVG has %zu bytes of text and style, the limit is %d",
		    parts.text_bytes, SVG_TEXT_BYTES_MAX);
	if (parts.selectors * parts.elements > SVG_MATCHES_MAX)
		return fail(why, FAIL_UNPROCESSABLE,
		    "the SVG has %zu selectors for %u elements, the limit is %d for their product", parts.selectors,
		    parts.elements, SVG_MATCHES_MAX);
	return true;
}

static bool
svg_has_harmless_entities(struct span text, struct failure *why)
{
	static const char entity[] = "<!ENTITY";
	const char *end = text.at + text.length;

	for (const char *at = text.at; (at = memchr(at, '<', (size_t)(end - at))) != NULL; at++) {
		struct span rest = span_range(at, (size_t)(end - at));

		if (span_starts_with(rest, entity) && !is_harmless_entity(span_range(at + strlen(entity),
		    rest.length - strlen(entity))))
			return fail(why, FAIL_UNPROCESSABLE,
			    "the SVG has an entity that is more than the limit of %d bytes of plain text",
			    SVG_ENTITY_BYTES_MAX);
	}
	return true;
}

static bool
svg_is_no_bomb(int input, struct failure *why)
{
	char *text = g_malloc(SVG_BYTES_MAX + 1);
	ssize_t got = read_at(input, text, SVG_BYTES_MAX + 1, 0, why);
	bool is_harmless = got > SVG_BYTES_MAX ?
	    fail(why, FAIL_UNPROCESSABLE, "the SVG has more bytes than the limit of %d", SVG_BYTES_MAX) :
	    got != -1 && svg_has_harmless_entities(span_range(text, (size_t)got), why) &&
	    svg_has_few_parts(span_range(text, (size_t)got), why);

	g_free(text);
	return is_harmless;
}

bool
file_is_no_bomb(int input, enum media media, struct failure *why)
{
	switch (media) {
	case MEDIA_JPEG:
		return jpeg_is_no_bomb(input, why);
	case MEDIA_WEBP:
		return webp_is_no_bomb(input, why);
	case MEDIA_PNG:
		return png_is_no_bomb(input, why);
	case MEDIA_SVG:
		return svg_is_no_bomb(input, why);
	default:
		return true;
	}
}
