/*
 * mezzanine - a whole original once more, as a file of which small sizes cost little.
 *
 * PNG, WebP, AVIF and progressive JPEG are decoded in full for every size.  Who has to
 * do that for the first of them keeps the pixels, of a large one averaged to what small results
 * need, and when the variant is finished writes them as a plain JPEG, which libjpeg decodes at
 * a half, a quarter or an eighth.  Colour at half the resolution is no loss, because a result
 * made of it has at most half the sides.
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
	STRIP_ROWS = 16,
	OPAQUE = 255,
	NEARLY_OPAQUE = 252	/* the pixels of the file are further from the truth */
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

/* Of a picture in memory, with 8 bits.  No pixel below NEARLY_OPAQUE is worth another look. */
static VipsPel
lowest_alpha(VipsImage *image)
{
	size_t width = (size_t)vips_image_get_width(image), bands = (size_t)vips_image_get_bands(image);
	VipsPel lowest = OPAQUE;

	for (int y = 0; y < vips_image_get_height(image) && lowest >= NEARLY_OPAQUE; y++) {
		const VipsPel *alpha = VIPS_IMAGE_ADDR(image, 0, y) + bands - 1;

		for (size_t x = 0; x < width; x++)
			lowest = VIPS_MIN(lowest, alpha[x * bands]);
	}
	return lowest;
}

static bool
drop_alpha(VipsImage **base, struct failure *why)
{
	VipsImage *colours;

	if (!vips_image_hasalpha(*base))
		return true;
	if (vips_extract_band(*base, &colours, 0, "n", colour_bands(*base), NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(base, colours);
	return true;
}

/* Of two rows the colours of one, rounded. */
static void
halve_rows(const VipsPel *upper, const VipsPel *lower, size_t from_bands, VipsPel *to, size_t width, size_t bands)
{
	for (size_t x = 0; x < width; x++, upper += 2 * from_bands, lower += 2 * from_bands)
		for (size_t band = 0; band < bands; band++)
			*to++ = (VipsPel)((upper[band] + upper[band + from_bands] + lower[band] +
			    lower[band + from_bands] + 2) / 4);
}

/* As the rows come, so that all of them need not be in memory at once. */
static bool
halve_into(VipsRegion *from, VipsImage *half)
{
	VipsPel *row = g_malloc(VIPS_IMAGE_SIZEOF_LINE(half));
	bool is_written = true;

	for (int y = 0; is_written && y < half->Ysize; y++) {
		VipsRect strip = { 0, 2 * y, from->im->Xsize, VIPS_MIN(2 * STRIP_ROWS, from->im->Ysize - 2 * y) };

		is_written = y % STRIP_ROWS != 0 || vips_region_prepare(from, &strip) == 0;
		if (!is_written)
			continue;
		halve_rows(VIPS_REGION_ADDR(from, 0, 2 * y), VIPS_REGION_ADDR(from, 0, 2 * y + 1),
		    (size_t)from->im->Bands, row, (size_t)half->Xsize, (size_t)half->Bands);
		is_written = vips_image_write_line(half, y, row) == 0;
	}
	g_free(row);
	return is_written;
}

/* By hand, because vips_shrink() takes three times as long, and alpha goes in the same pass. */
static bool
halve(VipsImage **base, struct failure *why)
{
	VipsImage *half = vips_image_new_memory();
	VipsRegion *region = vips_region_new(*base);
	bool is_halved = vips_image_pipelinev(half, VIPS_DEMAND_STYLE_THINSTRIP, *base, NULL) == 0;

	half->Xsize = (*base)->Xsize / 2;
	half->Ysize = (*base)->Ysize / 2;
	half->Bands = colour_bands(*base);
	is_halved = is_halved && halve_into(region, half);
	g_object_unref(region);
	if (!is_halved) {
		g_object_unref(half);
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	}
	image_replace(base, half);
	return fail_for_made_up_pixels(why);
}

static bool
average(VipsImage **base, unsigned shrink, struct failure *why)
{
	for (; shrink > 1; shrink /= 2)
		if (!halve(base, why))
			return false;
	return true;
}

/*
 * All pixels are in memory before the first is averaged, because where some are transparent,
 * averages would have colours that nobody sees.  This variant, which may be one that keeps each
 * level, is made without alpha only where nothing is lost.
 */
static bool
load_with_alpha(struct source *source, unsigned shrink, enum mezzanine_fate *fate, struct failure *why)
{
	VipsPel lowest;

	source->base = g_object_ref(source->image);
	*fate = MEZZANINE_NEVER;
	if (!picture_decode(&source->base, why))
		return false;
	lowest = lowest_alpha(source->base);
	if (lowest < NEARLY_OPAQUE)
		return true;
	*fate = MEZZANINE_FOLLOWS;
	source->base_shrink = shrink;
	if (lowest < OPAQUE)
		return true;
	source->base_shrink = 1;
	return average(&source->base, shrink, why) && drop_alpha(&source->base, why) &&
	    picture_decode(&source->base, why);
}

static bool
load(struct source *source, unsigned shrink, enum mezzanine_fate *fate, struct failure *why)
{
	bool is_shrunk = source->description.media == MEDIA_JPEG;

	*fate = MEZZANINE_FOLLOWS;
	source->base_shrink = 1;
	return source_load_shrunk(source, shrink, &source->base, why) &&
	    average(&source->base, is_shrunk ? 1 : shrink, why) && picture_decode(&source->base, why);
}

static bool
is_too_large_for_alpha(const struct source *source)
{
	return vips_image_hasalpha(source->image) && description_large_shrink(&source->description) > 1;
}

bool
mezzanine_keep_base(struct source *source, const struct geometry *geometry, enum mezzanine_fate *fate,
    struct failure *why)
{
	double factor = shrink_factor(geometry);
	unsigned shrink = description_mezzanine_shrink(&source->description, factor);

	*fate = MEZZANINE_NONE;
	/* A page that was asked for by its number is not what stands for the file. */
	if (source->page != 0)
		return true;
	*fate = MEZZANINE_NEVER;
	if (!can_have_one(source) || is_too_large_for_alpha(source))
		return true;
	*fate = MEZZANINE_NONE;
	/* The variant is made of it too. */
	if (shrink > 1 && factor < shrink * MEZZANINE_SHRINK_MIN)
		return true;
	return vips_image_hasalpha(source->image) ? load_with_alpha(source, shrink, fate, why) :
	    load(source, shrink, fate, why);
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Quickly: tables are not optimised, and it is not progressive. */
bool
mezzanine_write(VipsImage **base, unsigned shrink, struct output *output, struct failure *why)
{
	size_t length;
	void *bytes;
	bool is_written;

	if (!average(base, shrink, why) || !drop_alpha(base, why))
		return false;
	if (vips_jpegsave_buffer(*base, &bytes, &length, "Q", QUALITY, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_ON,
	    "strip", TRUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "mezzanine");
	is_written = output_write(output, bytes, length);
	g_free(bytes);
	return is_written || fail(why, FAIL_INTERNAL, "cannot write the mezzanine: %s", strerror(output->error));
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
