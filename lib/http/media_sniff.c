/*
 * media_sniff - what the first bytes of a file say it is.
 *
 * The answer decides which decoder may see the bytes, so it never trusts a
 * name or a header, and what is not certain is MEDIA_NONE.
 */
#include "http/media.h"

#include <string.h>

struct signature {
	enum media media;
	unsigned char length;
	const char *bytes;
};

static const struct signature signatures[] = {
	{ MEDIA_JPEG, 3, "\xFF\xD8\xFF" },
	{ MEDIA_PNG, 8, "\x89PNG\r\n\x1A\n" },
	{ MEDIA_GIF, 6, "GIF87a" },
	{ MEDIA_GIF, 6, "GIF89a" },
	{ MEDIA_JXL, 2, "\xFF\x0A" },					/* bare codestream */
	{ MEDIA_JXL, 12, "\0\0\0\x0CJXL \r\n\x87\n" },			/* ISO/IEC 18181-2 container */
	{ MEDIA_TIFF, 4, "II*\0" },
	{ MEDIA_TIFF, 4, "MM\0*" },
	{ MEDIA_TIFF, 8, "II+\0\x08\0\0\0" },				/* BigTIFF: 8-byte offsets */
	{ MEDIA_TIFF, 8, "MM\0+\0\x08\0\0" },
};

static enum media
sniff_signature(struct span file)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		const struct signature *signature = &signatures[i];

		if (file.length >= signature->length &&
		    memcmp(file.at, signature->bytes, signature->length) == 0)
			return signature->media;
	}
	if (file.length >= 14 && memcmp(file.at, "RIFF", 4) == 0 && memcmp(file.at + 8, "WEBPVP", 6) == 0)
		return MEDIA_WEBP;
	return MEDIA_NONE;
}

/* ---- HEIF and AVIF: the brands of the "ftyp" box, ISO/IEC 23008-12 ------------ */

enum { BRAND_BYTES = 4, FTYP_MAJOR = 8, FTYP_COMPATIBLE = 16 };

static bool
is_one_of(const char *brand, const char *list)
{
	for (; *list != '\0'; list += BRAND_BYTES)
		if (memcmp(brand, list, BRAND_BYTES) == 0)
			return true;
	return false;
}

static enum media
media_of_brand(const char *brand)
{
	if (is_one_of(brand, "avifavis"))
		return MEDIA_AVIF;
	if (is_one_of(brand, "heicheixheimheishevchevxhevmhevs"))
		return MEDIA_HEIC;
	return MEDIA_NONE;
}

static enum media
sniff_ftyp(struct span file)
{
	const unsigned char *size = (const unsigned char *)file.at;
	size_t end;
	enum media media;

	if (file.length < FTYP_COMPATIBLE || memcmp(file.at + 4, "ftyp", 4) != 0)
		return MEDIA_NONE;
	end = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
	if (end < FTYP_COMPATIBLE || end % BRAND_BYTES != 0)
		return MEDIA_NONE;
	media = media_of_brand(file.at + FTYP_MAJOR);
	if (media != MEDIA_NONE || !is_one_of(file.at + FTYP_MAJOR, "mif1mif2msf1miaf"))
		return media;
	/* A structural brand says "HEIF" only; the coding stands among the compatible ones. */
	if (end > file.length)
		end = file.length;
	for (size_t at = FTYP_COMPATIBLE; at + BRAND_BYTES <= end; at += BRAND_BYTES) {
		media = media_of_brand(file.at + at);
		if (media != MEDIA_NONE)
			return media;
	}
	return MEDIA_HEIC;
}

/* ---- SVG: the first element, behind what XML allows to stand before it ---------- */

static void
skip(struct span *rest, size_t length)
{
	*rest = span_range(rest->at + length, rest->length - length);
}

static void
skip_white_space(struct span *rest)
{
	while (rest->length > 0 && memchr(" \t\r\n", rest->at[0], 4) != NULL)
		skip(rest, 1);
}

/* Past something that begins with `open` and ends with `close`; false when it
 * does not begin so, or does not end. */
static bool
skip_enclosed(struct span *rest, const char *open, const char *close)
{
	const char *end;

	if (!span_starts_with(*rest, open))
		return false;
	end = memmem(rest->at + strlen(open), rest->length - strlen(open), close, strlen(close));
	if (end == NULL)
		return false;
	skip(rest, (size_t)(end - rest->at) + strlen(close));
	return true;
}

static bool
names_svg(struct span rest, const char *before)
{
	size_t length = strlen(before);

	return span_starts_with(rest, before) && rest.length > length + 3 &&
	    memcmp(rest.at + length, "svg", 3) == 0 && memchr(" \t\r\n>/[", rest.at[length + 3], 7) != NULL;
}

static bool
is_svg(struct span rest)
{
	if (span_starts_with(rest, "\xEF\xBB\xBF"))
		skip(&rest, 3);
	do
		skip_white_space(&rest);
	while (skip_enclosed(&rest, "<?", "?>") || skip_enclosed(&rest, "<!--", "-->"));
	/* A document type names the root element: no need to read past its subset. */
	return names_svg(rest, "<") || names_svg(rest, "<svg:") || names_svg(rest, "<!DOCTYPE ");
}

enum media
media_sniff(const void *bytes, size_t length)
{
	struct span file = { bytes, length };
	enum media media = sniff_signature(file);

	if (media == MEDIA_NONE)
		media = sniff_ftyp(file);
	if (media == MEDIA_NONE && length > 0 && is_svg(file))
		media = MEDIA_SVG;
	return media;
}
