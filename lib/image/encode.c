/*
 * encode - one format, one row, one function: the settings each is written with.
 *
 * Everything arrives as 8-bit sRGB or grey, without metadata but the credit, so
 * "strip" only says whether the encoder may add the empty EXIF block that
 * libvips makes up.
 */
#include "image/pipeline.h"

#include "base/check.h"
#include "image/riff.h"

#include <string.h>

enum {
	WEBP_EFFORT = 4,
	/* 800 x 502 on one core: effort 1 took 0.12 s, 2 0.15, 3 0.29, 4 1.14, for
	 * a loss of 5.7, 5.7, 5.6 and 5.4 at the same size. */
	AVIF_EFFORT = 2,
	JXL_EFFORT = 4,
	GIF_EFFORT = 7,
	PNG_COMPRESSION = 6
};

struct settings {
	int quality;
	bool strip;
};

static bool
encode_jpeg(VipsImage *image, VipsTarget *target, const struct settings *settings)
{
	return vips_jpegsave_target(image, target, "Q", settings->quality, "interlace", TRUE,
	    "optimize_coding", TRUE, "strip", settings->strip, NULL) == 0;
}

static bool
encode_png(VipsImage *image, VipsTarget *target, const struct settings *settings)
{
	return vips_pngsave_target(image, target, "compression", PNG_COMPRESSION,
	    "strip", settings->strip, NULL) == 0;
}

/* Through memory, where libvips has the whole file anyway, to cut the EXIF
 * block that it does not leave out. */
static bool
encode_webp(VipsImage *image, VipsTarget *target, const struct settings *settings)
{
	void *file;
	size_t length;
	bool is_written;

	if (vips_webpsave_buffer(image, &file, &length, "Q", settings->quality, "effort", WEBP_EFFORT,
	    NULL) == -1)
		return false;
	if (settings->strip)
		length = riff_remove_exif(file, length);
	is_written = vips_target_write(target, file, length) == 0 && vips_target_end(target) == 0;
	g_free(file);
	return is_written;
}

/* 12 bits, the default, is more than any browser shows. */
static bool
encode_avif(VipsImage *image, VipsTarget *target, const struct settings *settings)
{
	return vips_heifsave_target(image, target, "Q", settings->quality, "bitdepth", 8,
	    "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", AVIF_EFFORT,
	    "strip", settings->strip, NULL) == 0;
}

static bool
encode_gif(VipsImage *image, VipsTarget *target, const struct settings *settings)
{
	(void)settings;
	return vips_gifsave_target(image, target, "effort", GIF_EFFORT, NULL) == 0;
}

static bool
encode_jxl(VipsImage *image, VipsTarget *target, const struct settings *settings)
{
	return vips_jxlsave_target(image, target, "Q", settings->quality, "effort", JXL_EFFORT, NULL) == 0;
}

static const struct encoder {
	bool (*encode)(VipsImage *image, VipsTarget *target, const struct settings *settings);
	int default_quality;	/* 0: has none */
	unsigned max_side;	/* pixels, by the format itself */
} encoders[MEDIA_COUNT] = {
	[MEDIA_JPEG] = { encode_jpeg, 80, 65535 },
	[MEDIA_PNG] = { encode_png, 0, 65535 },
	[MEDIA_WEBP] = { encode_webp, 78, 16383 },
	[MEDIA_AVIF] = { encode_avif, 50, 16384 },
	[MEDIA_GIF] = { encode_gif, 0, 65535 },
	[MEDIA_JXL] = { encode_jxl, 77, 65535 },
};

/* Why an encoder failed: usually because it could not write. */
static bool
encoding_failed(enum media format, const struct output *output, struct failure *why)
{
	if (output->is_too_large) {
		vips_error_clear();
		return fail(why, FAIL_UNPROCESSABLE, "the result has more than %llu bytes",
		    (unsigned long long)output->max_bytes);
	}
	if (output->error != 0) {
		vips_error_clear();
		return fail(why, FAIL_INTERNAL, "cannot write the result: %s", strerror(output->error));
	}
	return fail_from_vips(why, FAIL_INTERNAL, media_extension(format));
}

bool
picture_encode(VipsImage *image, const struct encoding *encoding, struct output *output,
    struct failure *why)
{
	enum media format = encoding->format;
	unsigned quality = encoding->recipe->quality;
	const struct encoder *encoder = &encoders[format];
	struct settings settings = {
		.quality = quality != 0 ? (int)quality : encoder->default_quality,
		.strip = !encoding->has_metadata,
	};
	unsigned side = (unsigned)VIPS_MAX(vips_image_get_width(image), vips_image_get_height(image));
	VipsTarget *target;
	bool is_encoded;

	CHECK(encoder->encode != NULL);
	if (side > encoder->max_side)
		return fail(why, FAIL_UNPROCESSABLE, "%s has at most %u pixels a side, the result has %u",
		    media_extension(format), encoder->max_side, side);
	target = output_target(output);
	if (target == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, media_extension(format));
	is_encoded = encoder->encode(image, target, &settings);
	g_object_unref(target);
	/* An encoder of libvips can overlook that the last bytes were refused. */
	if (!is_encoded || output->is_too_large || output->error != 0)
		return encoding_failed(format, output, why);
	return true;
}
