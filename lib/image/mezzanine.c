/*
 * mezzanine - a whole original once more, as a file of which small sizes cost little.
 *
 * PNG, WebP, AVIF and progressive JPEG are decoded in full for every size.  Who has to
 * do that for the first of them keeps the pixels, and when the variant is finished
 * writes them as a plain JPEG, which libjpeg decodes at a half, a quarter or an eighth.
 * Colour at half the resolution is no loss, because a result made of it has at most half the
 * sides.
 *
 * It has what the decoder gave: not upright, in the original's own colours, without
 * metadata.  Everything but pixels is still read from the original's header, so
 * geometry, profile and credit cannot differ.  The measurements behind the constants
 * are in docs/mezzanines.md.
 */
#include "image/pipeline.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
	QUALITY = 92,
	BASE_PIXELS_MAX = 24000000,	/* 72 MB are held until it is written, 96 with alpha */
	SHRINK_MAX = 8,
	OPAQUE = 255
};

/* ---- which originals ----------------------------------------------------------------- */

static int
colour_bands(VipsImage *image)
{
	return vips_image_get_bands(image) - (vips_image_hasalpha(image) ? 1 : 0);
}

/* RGB or grey of 8 bits: what a JPEG holds without a change of its numbers. */
static bool
fits_jpeg(VipsImage *image)
{
	VipsInterpretation space = vips_image_get_interpretation(image);
	int bands = colour_bands(image);

	return vips_image_get_format(image) == VIPS_FORMAT_UCHAR &&
	    ((space == VIPS_INTERPRETATION_sRGB && bands == 3) || (space == VIPS_INTERPRETATION_B_W && bands == 1));
}

static bool
can_have_one(const struct source *source)
{
	return description_is_worth_a_mezzanine(&source->description) && fits_jpeg(source->image);
}

/* ---- keeping ---------------------------------------------------------------------------- */

/* How much smaller a mezzanine is, so that it can be held in memory; 0: it would be too small. */
static unsigned
base_shrink(const struct image_description *description)
{
	uint64_t pixels = (uint64_t)description->width * description->height;
	unsigned shrink = 1;

	while (pixels / (shrink * shrink) > BASE_PIXELS_MAX)
		shrink *= 2;
	return shrink <= SHRINK_MAX ? shrink : 0;
}

static bool
load_base(struct source *source, unsigned shrink, VipsImage **base, struct failure *why)
{
	VipsImage *shrunk;

	if (!source_load_shrunk(source, shrink, base, why))
		return false;
	if (shrink > 1 && source->description.media != MEDIA_JPEG) {
		if (vips_shrink(*base, &shrunk, shrink, shrink, NULL) == -1) {
			g_clear_object(base);
			return fail_from_vips(why, FAIL_INTERNAL, "shrink");
		}
		image_replace(base, shrunk);
	}
	if (picture_decode(base, why))
		return true;
	g_clear_object(base);
	return false;
}

bool
mezzanine_keep_base(struct source *source, const struct geometry *geometry, enum mezzanine_fate *fate,
    struct failure *why)
{
	unsigned shrink = base_shrink(&source->description);

	*fate = MEZZANINE_NONE;
	/* A page that was asked for by its number is not what stands for the file. */
	if (source->page != 0)
		return true;
	*fate = MEZZANINE_NEVER;
	if (!can_have_one(source) || shrink == 0)
		return true;
	*fate = MEZZANINE_NONE;
	/* The variant is made of it too. */
	if (shrink > 1 && shrink_factor(geometry) < shrink * MEZZANINE_SHRINK_MIN)
		return true;
	/* Averaging would mix colours that nobody sees into those at their edges. */
	if (shrink > 1 && vips_image_hasalpha(source->image))
		return true;
	if (!load_base(source, shrink, &source->base, why))
		return false;
	*fate = MEZZANINE_FOLLOWS;
	return true;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* *lowest: the least alpha there is. */
static bool
find_lowest_alpha(VipsImage *base, double *lowest, struct failure *why)
{
	VipsImage *alpha;
	bool is_found;

	*lowest = OPAQUE;
	if (!vips_image_hasalpha(base))
		return true;
	if (vips_extract_band(base, &alpha, vips_image_get_bands(base) - 1, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	is_found = vips_min(alpha, lowest, NULL) == 0;
	g_object_unref(alpha);
	return is_found || fail_from_vips(why, FAIL_INTERNAL, "alpha");
}

/* Quickly: tables are not optimised, and it is not progressive. */
static bool
encode(VipsImage *base, struct output *output, struct failure *why)
{
	VipsImage *colours;
	size_t length;
	void *bytes;
	bool is_encoded, is_written;

	if (vips_extract_band(base, &colours, 0, "n", colour_bands(base), NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "mezzanine");
	is_encoded = vips_jpegsave_buffer(colours, &bytes, &length, "Q", QUALITY, "subsample_mode",
	    VIPS_FOREIGN_SUBSAMPLE_ON, "strip", TRUE, NULL) == 0;
	g_object_unref(colours);
	if (!is_encoded)
		return fail_from_vips(why, FAIL_INTERNAL, "mezzanine");
	is_written = output_write(output, bytes, length);
	g_free(bytes);
	return is_written || fail(why, FAIL_INTERNAL, "cannot write the mezzanine: %s", strerror(output->error));
}

bool
mezzanine_write(VipsImage *base, struct output *output, struct failure *why)
{
	double lowest;

	if (!find_lowest_alpha(base, &lowest, why))
		return false;
	return lowest < OPAQUE || encode(base, output, why);
}

/* ---- using ------------------------------------------------------------------------------- */

/* Of an odd side the last pixel may be missing, or be one of fewer. */
static bool
is_shrunk_side(unsigned whole, unsigned part, unsigned shrink)
{
	return part == whole / shrink || part == (whole + shrink - 1) / shrink;
}

/* How much smaller than the original it is; 0: it is of another. */
static unsigned
shrink_of(const struct source *source, const struct source *mezzanine)
{
	const struct image_description *whole = &source->description, *part = &mezzanine->description;
	unsigned shrink = (unsigned)lround((double)whole->width / part->width);

	if (part->media != MEDIA_JPEG || shrink == 0 || !can_have_one(source) ||
	    vips_image_get_bands(mezzanine->image) != colour_bands(source->image) ||
	    !is_shrunk_side(whole->width, part->width, shrink) ||
	    !is_shrunk_side(whole->height, part->height, shrink))
		return 0;
	return shrink;
}

static bool
restore_profile(VipsImage **base, VipsImage *original, struct failure *why)
{
	const void *profile;
	VipsImage *copy;
	size_t length;

	if (vips_copy(*base, &copy, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "mezzanine");
	image_replace(base, copy);
	if (vips_image_get_typeof(original, VIPS_META_ICC_NAME) == 0)
		return true;
	if (vips_image_get_blob(original, VIPS_META_ICC_NAME, &profile, &length) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "profile");
	vips_image_set_blob_copy(*base, VIPS_META_ICC_NAME, profile, length);
	return true;
}

static bool
load_mezzanine(const struct source *source, const struct source *mezzanine, const struct geometry *geometry,
    VipsImage **base)
{
	unsigned shrink = shrink_of(source, mezzanine);
	struct geometry smaller = *geometry;
	struct failure why = { 0 };

	if (shrink == 0 || shrink_factor(geometry) < shrink * MEZZANINE_SHRINK_MIN)
		return false;
	smaller.turned_width /= shrink;
	smaller.turned_height /= shrink;
	if (!source_load(mezzanine, &smaller, base, &why))
		return false;
	if (restore_profile(base, source->image, &why))
		return true;
	g_clear_object(base);
	return false;
}

bool
mezzanine_use(struct source *source, int mezzanine, const struct geometry *geometry,
    const struct image_limits *limits)
{
	struct failure why = { 0 };
	struct source file;
	bool serves;

	if (!source_open(&file, mezzanine, NULL, MEDIA_NONE, limits, &why))
		return false;
	serves = load_mezzanine(source, &file, geometry, &source->base);
	source_close(&file);
	return serves;
}

bool
mezzanine_restore_alpha(VipsImage **image, const struct source *source, struct failure *why)
{
	VipsImage *joined;

	if (!vips_image_hasalpha(source->image) || vips_image_hasalpha(*image))
		return true;
	if (vips_bandjoin_const1(*image, &joined, OPAQUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(image, joined);
	return true;
}
