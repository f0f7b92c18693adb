/*
 * mezzanine - a whole original once more, as a file of which small sizes cost little.
 *
 * PNG, WebP, AVIF and progressive JPEG are decoded in full for every size.  Who has to
 * do that for the first of them keeps the pixels, of a large one no more than what small results
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
	OPAQUE = 255,
	NEARLY_OPAQUE = 252	/* the pixels of the file are further from the truth */
};

/* ---- which originals ----------------------------------------------------------------- */

static bool
can_have_one(const struct source *source)
{
	return description_is_worth_a_mezzanine(&source->description) && picture_is_plain(source->image);
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
	if (vips_extract_band(*base, &colours, 0, "n", picture_colour_bands(*base), NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(base, colours);
	return true;
}

static bool
divide(VipsImage **base, unsigned shrink, struct failure *why)
{
	for (; shrink > 1; shrink /= 2)
		if (!picture_halve(base, why))
			return false;
	return true;
}

/*
 * All pixels are in memory before the first are mixed, because where some are transparent,
 * the mixture would have colours that nobody sees.  This variant, which may be one that keeps each
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
	source->mezzanine_shrink = shrink;
	if (lowest < OPAQUE)
		return true;
	source->mezzanine_shrink = 1;
	return divide(&source->base, shrink, why) && drop_alpha(&source->base, why) &&
	    picture_decode(&source->base, why);
}

static bool
load(struct source *source, unsigned shrink, enum mezzanine_fate *fate, struct failure *why)
{
	bool is_shrunk = source->description.media == MEDIA_JPEG;

	*fate = MEZZANINE_FOLLOWS;
	source->mezzanine_shrink = 1;
	return source_load_shrunk(source, shrink, &source->base, why) &&
	    divide(&source->base, is_shrunk ? 1 : shrink, why) && picture_decode(&source->base, why);
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
	if (!(vips_image_hasalpha(source->image) ? load_with_alpha(source, shrink, fate, why) :
	    load(source, shrink, fate, why)))
		return false;
	if (*fate == MEZZANINE_FOLLOWS)
		source->mezzanine = g_object_ref(source->base);
	return true;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Quickly: tables are not optimised, and it is not progressive. */
bool
mezzanine_write(VipsImage **base, unsigned shrink, struct output *output, struct failure *why)
{
	size_t length;
	void *bytes;
	bool is_written;

	if (!divide(base, shrink, why) || !drop_alpha(base, why))
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
	    vips_image_get_bands(mezzanine->image) != picture_colour_bands(source->image) ||
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
	file.is_asked_again = source->is_asked_again;
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
