#include "http/media.h"

#include "base/check.h"

#include <string.h>

struct media_row {
	const char *type, *type_alias;	/* aliases are read, never written */
	const char *extension, *extension_alias;
	bool is_writable, has_alpha;
};

static const struct media_row rows[MEDIA_COUNT] = {
	[MEDIA_NONE] = { "application/octet-stream", NULL, "none", NULL, false, false },
	[MEDIA_JPEG] = { "image/jpeg", "image/jpg", "jpg", "jpeg", true, false },
	[MEDIA_PNG] = { "image/png", NULL, "png", NULL, true, true },
	[MEDIA_WEBP] = { "image/webp", NULL, "webp", NULL, true, true },
	[MEDIA_AVIF] = { "image/avif", NULL, "avif", NULL, true, true },
	[MEDIA_GIF] = { "image/gif", NULL, "gif", NULL, true, true },
	[MEDIA_JXL] = { "image/jxl", NULL, "jxl", NULL, true, true },
	[MEDIA_HEIC] = { "image/heic", "image/heif", "heic", "heif", false, true },
	[MEDIA_TIFF] = { "image/tiff", NULL, "tiff", "tif", false, true },
	[MEDIA_SVG] = { "image/svg+xml", NULL, "svg", NULL, false, true },
};

static bool
is_either(struct span span, const char *name, const char *alias)
{
	return span_equals_ignoring_case(span, name) ||
	    (alias != NULL && span_equals_ignoring_case(span, alias));
}

enum media
media_of_extension(struct span extension)
{
	for (enum media media = MEDIA_JPEG; media < MEDIA_COUNT; media++)
		if (is_either(extension, rows[media].extension, rows[media].extension_alias))
			return media;
	return MEDIA_NONE;
}

enum media
media_of_type(struct span type)
{
	struct span name = span_trim(span_cut(&type, ';'));

	for (enum media media = MEDIA_JPEG; media < MEDIA_COUNT; media++)
		if (is_either(name, rows[media].type, rows[media].type_alias))
			return media;
	return MEDIA_NONE;
}

static const struct media_row *
row_of(enum media media)
{
	CHECK(media >= MEDIA_NONE && media < MEDIA_COUNT);
	return &rows[media];
}

const char *
media_type(enum media media)
{
	return row_of(media)->type;
}

const char *
media_extension(enum media media)
{
	return row_of(media)->extension;
}

bool
media_is_writable(enum media media)
{
	return row_of(media)->is_writable;
}

bool
media_has_alpha(enum media media)
{
	return row_of(media)->has_alpha;
}
