/*
 * image - libvips, set up for one job at a time on hostile input.
 *
 * image_render() is the whole way of a picture, from top to bottom.
 */
#include "image/image.h"

#include "base/check.h"
#include "base/deadline.h"
#include "image/pipeline.h"

#include <stdlib.h>

/* What source.c can call.  Everything else stays blocked, above all the loaders
 * for hundreds of formats behind ImageMagick, OpenSlide and poppler.  SVG and
 * JPEG XL are on libvips' own list of untrusted ones; behind a process
 * boundary they are as good as the rest. */
static const char *const allowed_operations[] = {
	"VipsForeignLoadJpeg",
	"VipsForeignLoadPng",
	"VipsForeignLoadWebp",
	"VipsForeignLoadNsgif",
	"VipsForeignLoadHeif",
	"VipsForeignLoadTiff",
	"VipsForeignLoadSvg",
	"VipsForeignLoadJxl",
	"VipsForeignSaveJxl",
};

/* Decoders warn about every odd file; what matters comes back as a failure. */
static void
stay_silent(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user)
{
	if ((level & (G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL)) != 0)
		g_log_default_handler(domain, level, message, user);
}

bool
image_init(const char *program_name, struct failure *why)
{
	/* Above this size libvips would decode to a file in /tmp.  It knows k, m and
	 * g, and reads any other letter as bytes. */
	if (setenv("VIPS_DISC_THRESHOLD", "1000g", 1) == -1)
		return fail(why, FAIL_INTERNAL, "setenv failed");
	g_log_set_default_handler(stay_silent, NULL);
	if (vips_init(program_name) != 0)
		return fail_from_vips(why, FAIL_INTERNAL, "libvips does not start");
	CHECK(vips_get_disc_threshold() >= (guint64)1 << 39);
	vips_block_untrusted_set(TRUE);
	vips_operation_block_set("VipsForeignLoad", TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(allowed_operations); i++)
		vips_operation_block_set(allowed_operations[i], FALSE);
	vips_cache_set_max(0);
	vips_concurrency_set(1);
	return image_provide(why);
}

bool
image_warm_up(struct failure *why)
{
	return captions_prepare(why);
}

void
image_shutdown(void)
{
	vips_shutdown();
}

bool
image_describe(int input, const struct image_limits *limits, struct image_description *description,
    struct image_portrait *portrait, struct failure *why)
{
	struct source source;
	bool is_described;

	if (!source_open(&source, input, NULL, MEDIA_NONE, limits, why))
		return false;
	*description = source.description;
	is_described = portrait == NULL || source_portray(&source, portrait, why);
	source_close(&source);
	return is_described;
}

/* ---- rendering ------------------------------------------------------------------------ */

/* Enlarging and padding make pixels that the original has not. */
static bool
is_within_limits(const struct geometry *geometry, unsigned frames, const struct image_limits *limits,
    struct failure *why)
{
	uint64_t scaled = (uint64_t)geometry->scaled_width * geometry->scaled_height;
	uint64_t result = (uint64_t)geometry->width * geometry->height;
	uint64_t larger = scaled > result ? scaled : result;

	if (larger > limits->max_pixels)
		return fail(why, FAIL_UNPROCESSABLE, "the result needs %llu pixels, the limit is %llu",
		    (unsigned long long)larger, (unsigned long long)limits->max_pixels);
	if (frames > 1 && larger > limits->max_animation_pixels / frames)
		return fail(why, FAIL_UNPROCESSABLE,
		    "the result needs %llu pixels in each of %u frames, the limit is %llu for all",
		    (unsigned long long)larger, frames, (unsigned long long)limits->max_animation_pixels);
	return true;
}

/* The exact pixels; *recipe loses its last questions (g=smart, g=entropy). */
static bool
plan(const struct source *source, struct recipe *recipe, const struct image_limits *limits,
    struct geometry *geometry, struct failure *why)
{
	const struct image_description *description = &source->description;
	struct geometry_source size;

	geometry_source_init(&size, recipe, description->width, description->height, description->orientation,
	    description->media);
	if (recipe->trim.threshold != 0 && !source_find_visible(source, recipe, &size, why))
		return false;
	if (!geometry_plan(recipe, &size, geometry, why) ||
	    !is_within_limits(geometry, source->frames, limits, why))
		return false;
	if (recipe->gravity != GRAVITY_SMART && recipe->gravity != GRAVITY_ENTROPY)
		return true;
	return source_find_point(source, &size, geometry, recipe, why) &&
	    geometry_plan(recipe, &size, geometry, why);
}

/* One frame, from the scaled pixels to the finished picture. */
static bool
make_frame(VipsImage **frame, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, enum media format, const struct layers *layers, struct failure *why)
{
	return picture_to_colour_space(frame, recipe->icc, why) &&
	    picture_turn(frame, source->description.orientation, recipe, geometry, format, why) &&
	    picture_cut(frame, geometry, why) &&
	    picture_adjust(frame, recipe, why) &&
	    picture_to_canvas(frame, recipe, geometry, format, why) &&
	    picture_lay(frame, layers, why) &&
	    picture_to_frame(frame, recipe, geometry, format, why);
}

static bool
make_frames(struct frames *frames, const struct source *source, const struct image_work *work,
    const struct recipe *recipe, const struct geometry *geometry, struct failure *why)
{
	struct layers layers;
	bool is_made = true;

	if (!layers_make(&layers, work->overlays, work->mark, geometry, &work->limits, why))
		return false;
	for (unsigned i = 0; i < frames->count && is_made; i++)
		is_made = make_frame(&frames->images[i], source, recipe, geometry, work->format, &layers, why);
	layers_release(&layers);
	return is_made;
}

/* Whether the original's own bytes would show the same picture. */
static bool
is_untouched(const struct source *source, const struct image_work *work, const struct recipe *recipe,
    const struct geometry *geometry)
{
	const struct image_description *description = &source->description;
	struct recipe plain;

	recipe_init(&plain);
	return work->format == description->media && source->frames == description->frames &&
	    (description->orientation == 1 || recipe->orient == ORIENT_OFF) && geometry->shows_all &&
	    geometry->scaled_width == geometry->turned_width && geometry->width == geometry->scaled_width &&
	    geometry->scaled_height == geometry->turned_height && geometry->height == geometry->scaled_height &&
	    !work->overlays->mark.is_set && work->overlays->caption_count == 0 && recipe_looks_like(recipe, &plain);
}

static bool
write_result(const struct frames *frames, const struct source *source, const struct image_work *work,
    const struct recipe *recipe, const struct geometry *geometry, struct output *output, struct failure *why)
{
	struct encoding encoding = {
		.recipe = recipe,
		.format = work->format,
		.is_untouched = is_untouched(source, work, recipe, geometry),
		.source = source,
		.input = work->input,
	};
	VipsImage *image;
	bool is_written;

	if (!frames_join(frames, &image, why))
		return false;
	is_written = picture_set_metadata(&image, source->image, recipe, &encoding.has_metadata, why) &&
	    picture_encode(image, &encoding, output, why);
	g_object_unref(image);
	return is_written;
}

static bool
load_through_mezzanine(struct frames *frames, struct source *source, const struct image_work *work,
    const struct recipe *recipe, const struct geometry *geometry)
{
	struct failure why = { 0 };

	if (mezzanine_use(source, work->mezzanine, geometry, &work->limits) &&
	    kept_hold(work->kept, source, geometry, MEZZANINE_USE, MEZZANINE_USED, &why) &&
	    frames_load(frames, source, recipe, geometry, &why))
		return true;
	g_clear_object(&source->base);
	return false;
}

/* Where the pixels come from: kept from the last job, or out of a mezzanine, or decoded into memory for one
 * or to be kept, or as they are needed.  What is wrong with a mezzanine is no failure. */
static bool
load_frames(struct frames *frames, struct source *source, const struct image_work *work,
    const struct recipe *recipe, const struct geometry *geometry, struct image_outcome *outcome, struct failure *why)
{
	enum mezzanine_fate *fate = &outcome->mezzanine;

	outcome->is_from_kept = kept_serves(work->kept, source, geometry, work->mezzanine_wish);
	*fate = work->mezzanine_wish == MEZZANINE_USE ? MEZZANINE_USED : MEZZANINE_NONE;
	if (outcome->is_from_kept)
		return frames_load(frames, source, recipe, geometry, why);
	if (work->mezzanine_wish == MEZZANINE_USE && load_through_mezzanine(frames, source, work, recipe, geometry))
		return true;
	*fate = MEZZANINE_NONE;
	if (work->mezzanine_wish == MEZZANINE_LEAVE && !mezzanine_keep_base(source, work, geometry, fate, why))
		return false;
	return kept_hold(work->kept, source, geometry, work->mezzanine_wish, *fate, why) &&
	    frames_load(frames, source, recipe, geometry, why);
}

static unsigned
elapsed_us(int64_t since_us)
{
	return (unsigned)(monotonic_us() - since_us);
}

static bool
render(struct source *source, const struct image_work *work, struct image_outcome *outcome, struct failure *why)
{
	struct output output = { .fd = work->output, .max_bytes = work->limits.max_output_bytes };
	int64_t started_us = monotonic_us();
	struct recipe recipe = *work->recipe;
	struct geometry geometry;
	struct frames frames;
	bool is_made;

	if (!plan(source, &recipe, &work->limits, &geometry, why) ||
	    !load_frames(&frames, source, work, &recipe, &geometry, outcome, why))
		return false;
	kept_share(work->kept);
	outcome->decode_us = elapsed_us(started_us);
	is_made = make_frames(&frames, source, work, &recipe, &geometry, why) &&
	    write_result(&frames, source, work, &recipe, &geometry, &output, why);
	frames_release(&frames);
	outcome->width = geometry.width;
	outcome->height = geometry.height;
	outcome->frames = source->frames;
	outcome->bytes = output.bytes;
	outcome->total_us = elapsed_us(started_us);
	return is_made;
}

struct image_base {
	VipsImage *pixels;
	unsigned shrink;
};

static struct image_base *
take_base(struct source *source)
{
	struct image_base *base = g_new(struct image_base, 1);

	base->pixels = g_steal_pointer(&source->mezzanine);
	base->shrink = source->mezzanine_shrink;
	return base;
}

bool
image_render(const struct image_work *work, struct image_outcome *outcome, struct failure *why)
{
	struct source source;
	bool is_made;

	CHECK(media_is_writable(work->format) && !work->recipe->is_original);
	*outcome = (struct image_outcome){ 0 };
	if (!recipe_suits_format(work->recipe, work->format, why) ||
	    !source_open(&source, work->input, work->recipe, work->format, &work->limits, why))
		return false;
	outcome->source = source.description;
	source.is_asked_again = kept_meet(work->kept, work->input, &source.description);
	is_made = render(&source, work, outcome, why);
	if (is_made && outcome->mezzanine == MEZZANINE_FOLLOWS)
		*work->base = take_base(&source);
	source_close(&source);
	/* What is wrong with it may be what is kept of that file. */
	kept_part(work->kept, is_made);
	return is_made;
}

bool
image_leave_mezzanine(struct image_base *base, int output, uint64_t max_bytes, struct failure *why)
{
	struct output file = { .fd = output, .max_bytes = max_bytes };
	bool is_written = mezzanine_write(&base->pixels, base->shrink, &file, why);

	g_object_unref(base->pixels);
	g_free(base);
	return is_written;
}

void
image_check_memory(void)
{
	struct deadline deadline = deadline_in_ms(1000);

	while (vips_tracked_get_mem() != 0 && !deadline_has_passed(deadline))
		deadline_sleep_ms(deadline, 1);
	CHECK(vips_tracked_get_mem() == 0);
	CHECK(vips_tracked_get_files() == 0);
}
