/*
 * kept - the pixels of the last pictures, for the next jobs of the same files.
 *
 * A page asks for a photo in several sizes at once, so a file that was decoded just now is the
 * likeliest one to be asked for again.  What the first of them has decoded stays in memory that all
 * renderers of a host share (slots.h): all pixels, or of a plain JPEG what it needed; who asks again
 * and needs more decodes all, once, up to KEPT_PIXELS_MAX.  Small results are made of halves of it.
 * Whatever is made of it has at most half of its sides, unless it has all pixels.
 */
#include "image/pipeline.h"
#include "image/slots.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum {
	KEPT_PIXELS_MIN = 1000000,	/* of the file: a smaller one is decoded in a few milliseconds */
	LEVELS = 4			/* each has half the sides of the one before */
};

struct image_kept {
	struct slots *slots;
	struct slot *slot;		/* that this job uses, or NULL */
	struct slot_about about;	/* a copy, which nobody changes */
	unsigned levels;
};

struct image_kept *
image_kept_open(int memory)
{
	struct slots *slots = slots_open(memory);
	struct image_kept *kept;

	if (slots == NULL)
		return NULL;
	kept = g_new0(struct image_kept, 1);
	kept->slots = slots;
	return kept;
}

bool
image_kept_forget(struct image_kept *kept, int64_t unused_ms)
{
	return kept == NULL || slots_forget(kept->slots, unused_ms);
}

void
image_kept_close(struct image_kept *kept)
{
	if (kept == NULL)
		return;
	slots_close(kept->slots);
	g_free(kept);
}

/* ---- one job's slot ---------------------------------------------------------------------------- */

/* Who dies while he writes shall leave nothing that looks finished. */
static bool
can_write(struct image_kept *kept)
{
	if (kept == NULL || kept->slot == NULL || !slots_write(kept->slots))
		return false;
	if (kept->levels == 0)
		atomic_store(&kept->slot->levels, 0);
	return true;
}

/* For others they stay, as long as they are read. */
static void
drop_pixels(struct image_kept *kept)
{
	kept->levels = 0;
	(void)can_write(kept);
}

bool
kept_meet(struct image_kept *kept, int input, const struct image_description *description)
{
	bool is_known;
	struct stat status;

	if (kept == NULL || (uint64_t)description->width * description->height < KEPT_PIXELS_MIN ||
	    fstat(input, &status) == -1)
		return false;
	kept->slot = slots_find(kept->slots, &status, &is_known);
	if (kept->slot != NULL) {
		kept->levels = atomic_load(&kept->slot->levels);
		kept->about = kept->slot->about;
		return true;
	}
	kept->levels = 0;
	if (!is_known)
		kept->slot = slots_claim(kept->slots, &status);
	return false;
}

void
kept_share(struct image_kept *kept)
{
	if (kept != NULL && kept->slot != NULL)
		slots_read_only(kept->slots);
}

void
kept_part(struct image_kept *kept, bool is_good)
{
	if (kept == NULL || kept->slot == NULL)
		return;
	if (!is_good)
		drop_pixels(kept);
	slots_leave(kept->slots);
	kept->slot = NULL;
}

/* ---- a slot's pixels ---------------------------------------------------------------------------- */

static struct slot_about
level_of(const struct slot_about *about, unsigned level)
{
	struct slot_about part = *about;

	part.width >>= level;
	part.height >>= level;
	return part;
}

static size_t
level_bytes(const struct slot_about *about, VipsImage *like)
{
	return (size_t)about->width * about->height * about->bands * VIPS_IMAGE_SIZEOF_ELEMENT(like);
}

/* One below the other. */
static size_t
level_offset(const struct slot_about *about, unsigned level, VipsImage *like)
{
	size_t offset = 0;

	for (unsigned i = 0; i < level; i++) {
		struct slot_about above = level_of(about, i);

		offset += level_bytes(&above, like);
	}
	return offset;
}

/* What another renderer wrote may be anything. */
static bool
is_sane(const struct slot_about *about, const struct source *source)
{
	return about->shrink >= 1 && about->shrink <= MEZZANINE_SHRINK_MAX && about->bands >= 1 &&
	    about->bands <= (unsigned)vips_image_get_bands(source->image) &&
	    about->bands >= (unsigned)picture_colour_bands(source->image) &&
	    about->width >= 1 && about->width <= source->description.width &&
	    about->height >= 1 && about->height <= source->description.height;
}

/* Everything but its pixels is the original's.  NULL where there is no memory for it. */
static VipsImage *
level_image(struct image_kept *kept, unsigned level, VipsImage *like)
{
	struct slot_about about = level_of(&kept->about, level);
	size_t offset = level_offset(&kept->about, level, like), bytes = level_bytes(&about, like);
	unsigned char *pixels = slots_pixels(kept->slots);
	VipsImage *image;

	if (pixels == NULL || bytes == 0 || offset + bytes > SLOT_BYTES)
		return NULL;
	image = vips_image_new_from_memory(pixels + offset, bytes, (int)about.width, (int)about.height,
	    (int)about.bands, vips_image_get_format(like));
	if (image == NULL || vips_image_pipelinev(image, VIPS_DEMAND_STYLE_ANY, like, NULL) == -1) {
		g_clear_object(&image);
		vips_error_clear();
		return NULL;
	}
	image->Xsize = (int)about.width;
	image->Ysize = (int)about.height;
	image->Bands = (int)about.bands;
	return image;
}

/* Of a picture in memory.  Somebody else may write the same at the same time, which are the same bytes. */
static bool
store_level(struct image_kept *kept, unsigned level, VipsImage *pixels)
{
	VipsImage *stored = level_image(kept, level, pixels);
	size_t bytes, offset = level_offset(&kept->about, level, pixels);

	if (stored == NULL)
		return false;
	bytes = VIPS_IMAGE_SIZEOF_IMAGE(stored);
	if (stored->data != pixels->data) {
		if (slots_room(kept->slots, offset, bytes) == NULL) {
			g_object_unref(stored);
			return false;
		}
		memcpy(stored->data, pixels->data, bytes);
	}
	g_object_unref(stored);
	kept->levels |= 1U << level;
	atomic_fetch_or(&kept->slot->levels, 1U << level);
	return true;
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
	return wish == MEZZANINE_USE || kept->about.has_lost || source->description.media == MEDIA_JPEG;
}

/* The half of *image, which is the level above. */
static bool
half(struct image_kept *kept, unsigned level, VipsImage *like, VipsImage **image, struct failure *why)
{
	VipsImage *stored = (kept->levels >> level & 1) != 0 ? level_image(kept, level, like) : NULL;

	if (stored != NULL) {
		image_replace(image, stored);
		return true;
	}
	if (!picture_halve(image, why))
		return false;
	(void)store_level(kept, level, *image);
	return true;
}

/* The smallest that suffices, which libvips then has least to do with. */
static bool
choose_level(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish, struct failure *why)
{
	double factor = shrink_factor(geometry) / kept->about.shrink / MEZZANINE_SHRINK_MIN;
	VipsImage *image = level_image(kept, 0, source->image);
	unsigned level = 0;

	if (image == NULL)
		return fail(why, FAIL_INTERNAL, "no memory for the pixels that are kept");
	for (; level + 1 < LEVELS && factor >= 2 && may_be_halved(kept, source, wish) &&
	    picture_is_halved_well(image); level++, factor /= 2)
		if (!half(kept, level + 1, source->image, &image, why)) {
			g_object_unref(image);
			return false;
		}
	/* An encoder may look at pixels twice, and must not find others then: where nothing is scaled, it gets a
	 * copy. */
	if (shrink_factor(geometry) <= 1 && !picture_own(&image, why)) {
		g_object_unref(image);
		return false;
	}
	g_clear_object(&source->base);
	source->base = image;
	return true;
}

bool
kept_serves(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish)
{
	struct failure why = { 0 };

	if (kept == NULL || kept->slot == NULL || kept->levels == 0)
		return false;
	if (can_be_kept(source) && is_sane(&kept->about, source) && wish != MEZZANINE_LEAVE &&
	    (wish == MEZZANINE_USE || !kept->about.has_lost) &&
	    (kept->about.shrink == 1 || shrink_factor(geometry) >= kept->about.shrink * MEZZANINE_SHRINK_MIN) &&
	    choose_level(kept, source, geometry, wish, &why))
		return true;
	drop_pixels(kept);
	return false;
}

/* ---- keeping ------------------------------------------------------------------------------------ */

bool
kept_can_hold_all(struct image_kept *kept, const struct source *source)
{
	return can_be_kept(source) && picture_is_plain(source->image) &&
	    description_kept_shrink(&source->description) == 1 && can_write(kept);
}

/* Alpha is mostly dropped. */
static size_t
colour_bytes(VipsImage *image)
{
	return VIPS_IMAGE_SIZEOF_IMAGE(image) / (size_t)vips_image_get_bands(image) *
	    (size_t)picture_colour_bands(image);
}

void *
kept_room(struct image_kept *kept, VipsImage *image)
{
	return kept != NULL && VIPS_IMAGE_SIZEOF_IMAGE(image) <= SLOT_BYTES ?
	    slots_room(kept->slots, 0, colour_bytes(image)) : NULL;
}

static bool
is_in_slot(struct image_kept *kept, VipsImage *image)
{
	return image->data != NULL && image->data == slots_pixels(kept->slots);
}

static bool
hold(struct image_kept *kept, VipsImage *pixels, unsigned shrink, bool has_lost)
{
	drop_pixels(kept);
	kept->about = (struct slot_about){
		.width = (unsigned)vips_image_get_width(pixels),
		.height = (unsigned)vips_image_get_height(pixels),
		.bands = (unsigned)vips_image_get_bands(pixels),
		.shrink = shrink,
		.has_lost = has_lost,
	};
	kept->slot->about = kept->about;
	return store_level(kept, 0, pixels);
}

void
kept_hold_all(struct image_kept *kept, VipsImage *pixels, bool is_exact)
{
	(void)hold(kept, pixels, 1, !is_exact);
}

void
kept_hold_halves(struct image_kept *kept, VipsImage *pixels)
{
	unsigned level = 0;

	for (unsigned width = kept->about.width; width / 2 >= (unsigned)vips_image_get_width(pixels); width /= 2)
		level++;
	if (kept->levels != 0 && level < LEVELS)
		(void)store_level(kept, level, pixels);
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
decode(struct image_kept *kept, VipsImage **pixels, enum mezzanine_wish wish, bool *has_lost, struct failure *why)
{
	if (!is_in_slot(kept, *pixels) && !picture_decode_colours(pixels, kept_room(kept, *pixels), why))
		return false;
	if (wish != MEZZANINE_USE || !picture_is_plain(*pixels) || !vips_image_hasalpha(*pixels) ||
	    picture_lowest_alpha(*pixels) < NEARLY_OPAQUE)
		return true;
	*has_lost = true;
	return picture_drop_alpha(pixels, why) && picture_decode(pixels, why);
}

bool
kept_hold(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish, enum mezzanine_fate fate, struct failure *why)
{
	VipsImage *pixels;
	unsigned shrink;
	bool has_lost, is_decoded;

	if (!can_be_kept(source) || (!source->is_asked_again && !shows_the_whole(source, geometry)) || !can_write(kept))
		return true;
	if (kept->levels != 0)
		return kept->about.has_lost || choose_level(kept, source, geometry, MEZZANINE_USE, why);
	if (!source_load(source, geometry, &pixels, why))
		return false;
	shrink = (unsigned)lround((double)source->description.width / vips_image_get_width(pixels));
	has_lost = source->has_lost_alpha || fate == MEZZANINE_USED || (fate == MEZZANINE_FOLLOWS && shrink > 1);
	if (colour_bytes(pixels) > KEPT_BYTES_MAX || VIPS_IMAGE_SIZEOF_IMAGE(pixels) > SLOT_BYTES ||
	    slots_pixels(kept->slots) == NULL) {
		g_object_unref(pixels);
		return true;
	}
	is_decoded = decode(kept, &pixels, wish, &has_lost, why);
	if (is_decoded && hold(kept, pixels, shrink, has_lost)) {
		is_decoded = choose_level(kept, source, geometry, wish, why);
	} else if (is_decoded) {
		/* For this job alone. */
		g_clear_object(&source->base);
		source->base = g_object_ref(pixels);
	}
	g_object_unref(pixels);
	return is_decoded;
}
