#include "image/encoder.h"

#include "base/check.h"
#include "image/fewer_colours.h"
#include "image/fields.h"
#include "image/rewrap.h"

#include <math.h>

/* The efforts are the ones of docs/encoding.md, where the others were measured too. */
enum {
	WEBP_EFFORT = 4,
	AVIF_EFFORT = 3,
	JXL_EFFORT = 5,
	JXL_DISTANCE_MAX = 15,	/* of libjxl 0.7 */
	GIF_EFFORT = 7,
	PNG_COMPRESSION = 6,

	MADE_UP_MAX = 4096	/* bytes that an encoder may write and rewrapping takes out again */
};

/* ---- a file in memory ------------------------------------------------------------------------ */

void
draft_init(struct draft *draft, uint64_t max_bytes)
{
	*draft = (struct draft){ .bytes = g_byte_array_new(), .max_bytes = max_bytes };
}

void
draft_release(struct draft *draft)
{
	g_byte_array_unref(draft->bytes);
}

struct span
draft_span(const struct draft *draft)
{
	return span_range((const char *)draft->bytes->data, draft->bytes->len);
}

static void
draft_clear(struct draft *draft)
{
	g_byte_array_set_size(draft->bytes, 0);
	draft->is_too_large = false;
}

static bool
draft_add(struct draft *draft, const void *bytes, size_t length)
{
	if (length > draft->max_bytes + MADE_UP_MAX - draft->bytes->len || length > G_MAXUINT / 2) {
		draft->is_too_large = true;
		return false;
	}
	g_byte_array_append(draft->bytes, bytes, (guint)length);
	return true;
}

static gint64
on_write(VipsTargetCustom *target, const void *bytes, gint64 length, void *user)
{
	(void)target;
	return draft_add(user, bytes, (size_t)length) ? length : -1;
}

static VipsTarget *
draft_target(struct draft *draft)
{
	VipsTargetCustom *target = vips_target_custom_new();

	if (target != NULL)
		g_signal_connect(target, "write", G_CALLBACK(on_write), draft);
	return VIPS_TARGET(target);
}

/* ---- the formats ------------------------------------------------------------------------------- */

/* libvips' savers make EXIF from these fields, with or without the blob. */
static bool
has_exif(VipsImage *image)
{
	char *field = fields_find(image, "exif-", "");

	g_free(field);
	return field != NULL;
}

/* Nothing to be written but pixels.  Then "strip" keeps libvips from making EXIF up;
 * it would leave out a profile too. */
static bool
is_bare(VipsImage *image)
{
	return !has_exif(image) && !fields_have(image, VIPS_META_XMP_NAME) &&
	    !fields_have(image, VIPS_META_IPTC_NAME) &&
	    !fields_have(image, VIPS_META_ICC_NAME);
}

static VipsForeignSubsample
subsample_mode(const struct encoder_settings *settings)
{
	switch (settings->subsample) {
	case SUBSAMPLE_420:
		return VIPS_FOREIGN_SUBSAMPLE_ON;
	case SUBSAMPLE_444:
		return VIPS_FOREIGN_SUBSAMPLE_OFF;
	case SUBSAMPLE_AUTO:
	case SUBSAMPLE_COUNT:
		break;
	}
	return VIPS_FOREIGN_SUBSAMPLE_AUTO;
}

static bool
encode_jpeg(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings)
{
	return vips_jpegsave_target(image, target, "Q", (int)settings->quality,
	    "interlace", settings->is_progressive, "optimize_coding", TRUE,
	    "subsample_mode", subsample_mode(settings), "strip", is_bare(image), NULL) == 0;
}

/* Bits of an index into so many colours. */
static int
palette_bits(unsigned colours)
{
	int bits = 1;

	while (1U << bits < colours)
		bits++;
	return bits;
}

/* PNG knows indexes of 1, 2, 4 and 8 bits. */
static int
png_bits(unsigned colours)
{
	int bits = palette_bits(colours);

	return bits <= 2 ? bits : bits <= 4 ? 4 : 8;
}

/* What has as many colours as its index can tell apart is left to libimagequant, with
 * dithering; what was reduced by us has the right colours already.  Filters make photos
 * smaller by half; libvips would use none, which is right for palettes only (PNG
 * specification, section 12.7). */
static bool
encode_png(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings)
{
	int bits = png_bits(settings->colours);

	if (settings->colours == 0)
		return vips_pngsave_target(image, target, "compression", PNG_COMPRESSION,
		    "filter", VIPS_FOREIGN_PNG_FILTER_ALL, "strip", is_bare(image), NULL) == 0;
	return vips_pngsave_target(image, target, "compression", PNG_COMPRESSION, "palette", TRUE,
	    "bitdepth", bits, "dither", 1U << bits == settings->colours ? 1.0 : 0.0,
	    "strip", is_bare(image), NULL) == 0;
}

static bool
encode_webp(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings)
{
	return vips_webpsave_target(image, target, "Q", (int)settings->quality, "effort", WEBP_EFFORT,
	    "lossless", settings->is_lossless, "smart_subsample", settings->subsample == SUBSAMPLE_444,
	    NULL) == 0;
}

/* 12 bits, the default, is more than any browser shows. */
static bool
encode_avif(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings)
{
	return vips_heifsave_target(image, target, "Q", (int)settings->quality, "bitdepth", 8,
	    "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", AVIF_EFFORT,
	    "lossless", settings->is_lossless, "subsample_mode",
	    settings->is_lossless ? VIPS_FOREIGN_SUBSAMPLE_OFF : subsample_mode(settings),
	    "strip", is_bare(image), NULL) == 0;
}

static bool
encode_gif(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings)
{
	int bits = palette_bits(settings->colours);

	return vips_gifsave_target(image, target, "effort", GIF_EFFORT, "bitdepth", bits,
	    "dither", 1U << bits == settings->colours ? 1.0 : 0.0, NULL) == 0;
}

/* As libjxl's own JxlEncoderDistanceFromQuality().  Not by "Q": from it 8.14.1 makes
 * distances that libjxl refuses, which goes unnoticed and gives the best quality instead of
 * the worst. */
static double
jxl_distance(const struct encoder_settings *settings)
{
	double quality = settings->quality;

	if (settings->is_lossless || quality >= 100)
		return 0;
	if (quality >= 30)
		return 0.1 + (100 - quality) * 0.09;
	return fmin(53.0 / 3000 * quality * quality - 23.0 / 20 * quality + 25, JXL_DISTANCE_MAX);
}

static bool
encode_jxl(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings)
{
	return vips_jxlsave_target(image, target, "distance", jxl_distance(settings), "effort", JXL_EFFORT,
	    "lossless", settings->is_lossless, NULL) == 0;
}

static const struct encoder {
	bool (*encode)(VipsImage *image, VipsTarget *target, const struct encoder_settings *settings);
	unsigned default_quality;	/* 0: has none */
	unsigned low_quality;		/* for Save-Data */
	unsigned max_side;		/* pixels */
} encoders[MEDIA_COUNT] = {
	[MEDIA_JPEG] = { encode_jpeg, 80, 60, 65535 },
	[MEDIA_PNG] = { encode_png, 0, 0, 65535 },
	[MEDIA_WEBP] = { encode_webp, 78, 55, 16383 },
	[MEDIA_AVIF] = { encode_avif, 50, 35, 16384 },
	[MEDIA_GIF] = { encode_gif, 0, 0, 65535 },
	[MEDIA_JXL] = { encode_jxl, 77, 60, 65535 },
};

enum { GIF_COLOURS = 256 };

struct encoder_settings
encoder_settings_for(const struct recipe *recipe, enum media format)
{
	const struct encoder *encoder = &encoders[format];
	struct encoder_settings settings = {
		.format = format,
		.quality = encoder->default_quality,
		.colours = format == MEDIA_GIF && recipe->colours == 0 ? GIF_COLOURS : recipe->colours,
		.is_lossless = recipe->is_lossless,
		.is_progressive = recipe->progressive == PROGRESSIVE_ON,
		.subsample = recipe->subsample,
	};

	CHECK(encoder->encode != NULL);
	if (recipe->quality_choice == QUALITY_GIVEN)
		settings.quality = recipe->quality;
	if (recipe->quality_choice == QUALITY_LOW)
		settings.quality = encoder->low_quality;
	/* The savers refuse 0, also where it decides nothing. */
	if (settings.quality == 0)
		settings.quality = 1;
	return settings;
}

bool
encoder_has_quality(const struct encoder_settings *settings)
{
	return encoders[settings->format].default_quality != 0 && !settings->is_lossless;
}

unsigned
encoder_max_side(enum media format)
{
	return encoders[format].max_side;
}

/* ---- all of them -------------------------------------------------------------------------------- */

/* What the savers of 8.14.1 do not do themselves: leave out the EXIF that they make
 * up, in WebP always, and put XMP into GIF and JPEG XL. */
static bool
needs_rewrapping(VipsImage *image, enum media format)
{
	switch (format) {
	case MEDIA_GIF:
	case MEDIA_JXL:
		return fields_have(image, VIPS_META_XMP_NAME);
	case MEDIA_WEBP:
		return !has_exif(image);
	case MEDIA_JPEG:
	case MEDIA_PNG:
		return !has_exif(image) && !fields_have(image, VIPS_META_IPTC_NAME) && !is_bare(image);
	default:
		return false;
	}
}

static void
rewrap_draft(VipsImage *image, enum media format, struct draft *draft)
{
	struct span packet = fields_xmp(image);
	struct arena *arena = arena_new();
	struct text file;

	text_init(&file, arena, draft->bytes->len + packet.length + MADE_UP_MAX);
	/* It was written a moment ago by a library that we know. */
	CHECK(rewrap(format, draft_span(draft), true, packet, &file));
	draft_clear(draft);
	draft->is_too_large = !draft_add(draft, file.at, file.length);
	arena_free(arena);
}

static bool
encode_into(struct draft *draft, VipsImage *image, const struct encoder_settings *settings)
{
	VipsTarget *target = draft_target(draft);
	bool is_encoded;

	if (target == NULL)
		return false;
	is_encoded = encoders[settings->format].encode(image, target, settings);
	g_object_unref(target);
	return is_encoded;
}

static bool
write_as_it_is(VipsImage *image, const struct encoder_settings *settings, struct draft *draft, struct failure *why)
{
	bool is_encoded;

	draft_clear(draft);
	is_encoded = encode_into(draft, image, settings);
	if (is_encoded && !draft->is_too_large && needs_rewrapping(image, settings->format))
		rewrap_draft(image, settings->format, draft);
	/* An encoder of libvips can overlook that the last bytes were refused. */
	if (draft->is_too_large || draft->bytes->len > draft->max_bytes) {
		draft->is_too_large = true;
		vips_error_clear();
		return fail(why, FAIL_UNPROCESSABLE, "the result has more than %llu bytes",
		    (unsigned long long)draft->max_bytes);
	}
	return is_encoded || fail_from_vips(why, FAIL_INTERNAL, media_extension(settings->format));
}

/* Whether no index has exactly so many places. */
static bool
needs_fewer_colours(const struct encoder_settings *settings)
{
	int bits = settings->format == MEDIA_PNG ? png_bits(settings->colours) : palette_bits(settings->colours);

	return (settings->format == MEDIA_PNG || settings->format == MEDIA_GIF) && settings->colours != 0 &&
	    1U << bits != settings->colours;
}

bool
encoder_write(VipsImage *image, const struct encoder_settings *settings, struct draft *draft,
    struct failure *why)
{
	VipsImage *reduced;
	bool is_written;

	if (!needs_fewer_colours(settings))
		return write_as_it_is(image, settings, draft, why);
	if (!picture_to_fewer_colours(image, settings->colours, &reduced, why))
		return false;
	is_written = write_as_it_is(reduced, settings, draft, why);
	g_object_unref(reduced);
	return is_written;
}
