/*
 * kept - the pixels of the last picture, for the next job of the same file.
 *
 * A page asks for a photo in several sizes at once, so the file that was decoded last is the
 * likeliest one to be asked for again.  What the first of them has decoded stays in memory: all
 * pixels, or of a plain JPEG what it needed; who asks again and needs more decodes all, once, up to
 * KEPT_PIXELS_MAX.  Small results are made of halves of it.  Whatever is made of it has at
 * most half of its sides, unless it has all pixels.
 *
 * A file is known by its inode, and a descriptor of it is held, so no other file can get that
 * number meanwhile; its times tell whether somebody wrote to it.
 */
#include "image/pipeline.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	KEPT_PIXELS_MIN = 1000000,	/* of the file: a smaller one is decoded in a few milliseconds */
	KEPT_BYTES_MAX = 3 * KEPT_PIXELS_MAX,	/* of colours, and a third of that for their halves */
	LEVELS = 4			/* each has half the sides of the one before */
};

struct image_kept {
	int file;		/* -1: none, and then the rest says nothing */
	struct stat status;
	VipsImage *levels[LEVELS];	/* what was decoded, and halves as far as they were needed; NULL: none */
	unsigned shrink;	/* how much smaller than the picture the first is */
	bool is_mezzanine;	/* that has lost something: only for what could be made of a mezzanine */
};

struct image_kept *
image_kept_new(void)
{
	struct image_kept *kept = g_new0(struct image_kept, 1);

	kept->file = -1;
	return kept;
}

static void
drop_pixels(struct image_kept *kept)
{
	for (unsigned i = 0; i < LEVELS; i++)
		g_clear_object(&kept->levels[i]);
}

void
image_kept_forget(struct image_kept *kept)
{
	if (kept == NULL || kept->file == -1)
		return;
	drop_pixels(kept);
	close(kept->file);
	kept->file = -1;
}

void
image_kept_free(struct image_kept *kept)
{
	image_kept_forget(kept);
	g_free(kept);
}

/* ---- of which file --------------------------------------------------------------------------- */

static bool
is_same_time(struct timespec one, struct timespec other)
{
	return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

static bool
is_same_file(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_size == other->st_size &&
	    is_same_time(one->st_mtim, other->st_mtim) && is_same_time(one->st_ctim, other->st_ctim);
}

bool
kept_meet(struct image_kept *kept, int input, const struct image_description *description)
{
	struct stat status;

	if (kept == NULL || fstat(input, &status) == -1)
		return false;
	if ((uint64_t)description->width * description->height < KEPT_PIXELS_MIN) {
		image_kept_forget(kept);
		return false;
	}
	if (kept->file != -1 && is_same_file(&kept->status, &status))
		return true;
	image_kept_forget(kept);
	kept->file = fcntl(input, F_DUPFD_CLOEXEC, 0);
	kept->status = status;
	return false;
}

/* ---- serving ----------------------------------------------------------------------------------- */

/* Stills, as a whole: no frame of an animation, no page, nothing that is drawn at any size. */
static bool
can_be_kept(const struct source *source)
{
	return source->frames == 1 && source->page == 0 && source->description.media != MEDIA_SVG;
}

/* So that what is made of all pixels is the same as without; a JPEG's own scaling halves too. */
static bool
may_be_halved(const struct image_kept *kept, const struct source *source, enum mezzanine_wish wish)
{
	return wish == MEZZANINE_USE || kept->is_mezzanine || source->description.media == MEDIA_JPEG;
}

/* The smallest that suffices, which libvips then has least to do with. */
static bool
choose_level(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish, struct failure *why)
{
	double factor = shrink_factor(geometry) / kept->shrink / MEZZANINE_SHRINK_MIN;
	unsigned level = 0;

	for (; level + 1 < LEVELS && factor >= 2 && may_be_halved(kept, source, wish) &&
	    picture_is_halved_well(kept->levels[level]); level++, factor /= 2) {
		if (kept->levels[level + 1] != NULL)
			continue;
		kept->levels[level + 1] = g_object_ref(kept->levels[level]);
		if (!picture_halve(&kept->levels[level + 1], why))
			return false;
	}
	g_clear_object(&source->base);
	source->base = g_object_ref(kept->levels[level]);
	return true;
}

bool
kept_serves(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish)
{
	struct failure why = { 0 };

	if (kept == NULL || kept->levels[0] == NULL)
		return false;
	if (can_be_kept(source) && wish != MEZZANINE_LEAVE && (wish == MEZZANINE_USE || !kept->is_mezzanine) &&
	    (kept->shrink == 1 || shrink_factor(geometry) >= kept->shrink * MEZZANINE_SHRINK_MIN) &&
	    choose_level(kept, source, geometry, wish, &why))
		return true;
	drop_pixels(kept);
	return false;
}

/* ---- keeping ------------------------------------------------------------------------------------ */

bool
kept_can_hold_all(const struct image_kept *kept, const struct source *source)
{
	return kept != NULL && kept->file != -1 && can_be_kept(source) && picture_is_plain(source->image) &&
	    description_kept_shrink(&source->description) == 1;
}

void
kept_hold_all(struct image_kept *kept, VipsImage *pixels, bool is_exact)
{
	kept->levels[0] = g_object_ref(pixels);
	kept->shrink = 1;
	kept->is_mezzanine = !is_exact;
}

void
kept_hold_halves(struct image_kept *kept, VipsImage *pixels)
{
	unsigned level = 0;

	for (int width = vips_image_get_width(kept->levels[0]); width / 2 >= vips_image_get_width(pixels); width /= 2)
		level++;
	if (kept->levels[level] == NULL)
		kept->levels[level] = g_object_ref(pixels);
}

/* A part is decoded row by row as ever, as long as nobody asks for more. */
static bool
shows_the_whole(const struct source *source, const struct geometry *geometry)
{
	return (uint64_t)geometry->source.width * geometry->source.height ==
	    (uint64_t)source->description.width * source->description.height;
}

/* Who takes a mezzanine takes it without what is nearly opaque, too. */
static bool
decode(struct image_kept *kept, enum mezzanine_wish wish, struct failure *why)
{
	VipsImage **pixels = &kept->levels[0];

	if (!picture_decode_colours(pixels, why))
		return false;
	if (wish != MEZZANINE_USE || !picture_is_plain(*pixels) || !vips_image_hasalpha(*pixels) ||
	    picture_lowest_alpha(*pixels) < NEARLY_OPAQUE)
		return true;
	kept->is_mezzanine = true;
	return picture_drop_alpha(pixels, why) && picture_decode(pixels, why);
}

/* Of its colours: alpha is mostly dropped. */
static uint64_t
colour_bytes(VipsImage *image)
{
	return VIPS_IMAGE_SIZEOF_IMAGE(image) / (uint64_t)vips_image_get_bands(image) *
	    (uint64_t)picture_colour_bands(image);
}

bool
kept_hold(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish, enum mezzanine_fate fate, struct failure *why)
{
	VipsImage *pixels;

	if (kept == NULL || kept->file == -1 || !can_be_kept(source) ||
	    (!source->is_asked_again && !shows_the_whole(source, geometry)))
		return true;
	if (kept->levels[0] != NULL)
		return kept->is_mezzanine || choose_level(kept, source, geometry, MEZZANINE_USE, why);
	if (!source_load(source, geometry, &pixels, why))
		return false;
	if (colour_bytes(pixels) > KEPT_BYTES_MAX) {
		g_object_unref(pixels);
		return true;
	}
	kept->levels[0] = pixels;
	kept->shrink = (unsigned)lround((double)source->description.width / vips_image_get_width(pixels));
	kept->is_mezzanine = fate == MEZZANINE_USED || (fate == MEZZANINE_FOLLOWS && kept->shrink > 1);
	if (decode(kept, wish, why) && choose_level(kept, source, geometry, wish, why))
		return true;
	drop_pixels(kept);
	return false;
}
