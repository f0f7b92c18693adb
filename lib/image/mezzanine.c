/*
 * mezzanine - a whole original once more, as a file of which small sizes cost little.
 *
 * PNG, WebP, AVIF and progressive JPEG are decoded in full for every size.  Who has to
 * do that for the first of them keeps the pixels (kept.c), and when the variant is finished writes
 * them, of a large one as many as small results need, as a plain JPEG, which libjpeg decodes at
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

enum { QUALITY = 92 };

/* ---- which originals ----------------------------------------------------------------- */

static bool
can_have_one(const struct source *source)
{
	return description_is_worth_a_mezzanine(&source->description) && picture_is_plain(source->image);
}

/* ---- keeping ---------------------------------------------------------------------------- */

static bool
divide(VipsImage **base, unsigned shrink, struct failure *why)
{
	for (; shrink > 1; shrink /= 2)
		if (!picture_halve(base, why))
			return false;
	return true;
}

/* Before they are halved: who asks for small sizes asks for a large one too. */
static bool
keep_all(struct image_kept *kept, VipsImage **pixels, bool is_exact, struct failure *why)
{
	VipsImage *all;
	bool is_kept;

	/* What is kept takes its place in memory. */
	if (vips_image_hasalpha(*pixels) && !picture_own(pixels, why))
		return false;
	all = g_object_ref(*pixels);
	is_kept = picture_drop_alpha(&all, why) && picture_decode(&all, why);
	if (is_kept)
		kept_hold_all(kept, all, is_exact);
	g_object_unref(all);
	return is_kept;
}

/* In memory. */
static bool
halve_base(struct source *source, unsigned shrink, struct image_kept *kept, struct failure *why)
{
	if (!divide(&source->base, shrink, why) || !picture_drop_alpha(&source->base, why) ||
	    !picture_decode(&source->base, why))
		return false;
	if (kept != NULL)
		kept_hold_halves(kept, source->base);
	return true;
}

/*
 * All pixels are in memory before the first are mixed, because where some are transparent,
 * the mixture would have colours that nobody sees.  This variant is made without alpha where nothing is lost, or
 * no more than by those that are made of the mezzanine.
 */
static bool
load_with_alpha(struct source *source, unsigned shrink, bool may_lose, struct image_kept *kept,
    enum mezzanine_fate *fate, struct failure *why)
{
	VipsPel lowest;

	source->base = g_object_ref(source->image);
	*fate = MEZZANINE_NEVER;
	if (!picture_decode_colours(&source->base, kept_room(kept, source->base), why))
		return false;
	lowest = picture_lowest_alpha(source->base);
	if (lowest < NEARLY_OPAQUE)
		return true;
	*fate = MEZZANINE_FOLLOWS;
	source->mezzanine_shrink = shrink;
	source->has_lost_alpha = may_lose && lowest < OPAQUE;
	if (source->has_lost_alpha &&
	    !(picture_drop_alpha(&source->base, why) && picture_decode(&source->base, why)))
		return false;
	if (kept != NULL && !keep_all(kept, &source->base, lowest == OPAQUE, why))
		return false;
	if (vips_image_hasalpha(source->base))
		return true;
	source->mezzanine_shrink = 1;
	return halve_base(source, shrink, kept, why);
}

static bool
load(struct source *source, unsigned shrink, struct image_kept *kept, enum mezzanine_fate *fate, struct failure *why)
{
	bool is_shrunk = source->description.media == MEDIA_JPEG && kept == NULL;

	*fate = MEZZANINE_FOLLOWS;
	source->mezzanine_shrink = 1;
	if (!source_load_shrunk(source, is_shrunk ? shrink : 1, &source->base, why))
		return false;
	if (kept == NULL)
		return halve_base(source, is_shrunk ? 1 : shrink, NULL, why);
	return picture_decode_colours(&source->base, kept_room(kept, source->base), why) &&
	    keep_all(kept, &source->base, true, why) && halve_base(source, shrink, kept, why);
}

static bool
is_too_large_for_alpha(const struct source *source)
{
	return vips_image_hasalpha(source->image) && description_large_shrink(&source->description) > 1;
}

bool
mezzanine_keep_base(struct source *source, const struct image_work *work, const struct geometry *geometry,
    enum mezzanine_fate *fate, struct failure *why)
{
	double factor = shrink_factor(geometry);
	unsigned shrink = description_mezzanine_shrink(&source->description, factor);
	bool may_lose = factor >= MEZZANINE_SHRINK_MIN && recipe_suits_mezzanine(work->recipe, work->format);
	struct image_kept *kept = work->kept;

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
	/* Else what is loaded is all. */
	if (shrink == 1 || !kept_can_hold_all(kept, source))
		kept = NULL;
	if (!(vips_image_hasalpha(source->image) ? load_with_alpha(source, shrink, may_lose, kept, fate, why) :
	    load(source, shrink, kept, fate, why)))
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

	if (!divide(base, shrink, why) || !picture_drop_alpha(base, why))
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
