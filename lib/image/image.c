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
	return true;
}

void
image_shutdown(void)
{
	vips_shutdown();
}

bool
image_describe(int input, const struct image_limits *limits, struct image_description *description,
    struct failure *why)
{
	struct source source;

	if (!source_open(&source, input, limits, why))
		return false;
	*description = source.description;
	source_close(&source);
	return true;
}

static bool
plan(const struct recipe *recipe, const struct image_description *description,
    const struct image_limits *limits, struct geometry *geometry, struct failure *why)
{
	unsigned width, height;
	uint64_t scaled, canvas;

	upright_size(description, &width, &height);
	if (!geometry_plan(recipe, width, height, geometry, why))
		return false;
	/* Enlarging and padding make pixels that the original has not. */
	scaled = (uint64_t)geometry->scaled_width * geometry->scaled_height;
	canvas = (uint64_t)geometry->width * geometry->height;
	if (scaled > limits->max_pixels || canvas > limits->max_pixels)
		return fail(why, FAIL_UNPROCESSABLE, "the result needs %llu pixels, the limit is %llu",
		    (unsigned long long)(scaled > canvas ? scaled : canvas),
		    (unsigned long long)limits->max_pixels);
	return true;
}

/* From the header to pixels in memory, at their final scale. */
static bool
decode(const struct source *source, const struct geometry *geometry, VipsImage **image,
    struct failure *why)
{
	if (!source_load(source, geometry, image, why))
		return false;
	if (picture_scale(image, &source->description, geometry, why) && picture_decode(image, why))
		return true;
	g_clear_object(image);
	return false;
}

static bool
finish(VipsImage **image, const struct image_description *description, const struct recipe *recipe,
    const struct geometry *geometry, enum media format, struct output *output, struct failure *why)
{
	bool has_credit;

	return picture_to_srgb(image, why) && picture_orient(image, description->orientation, why) &&
	    picture_to_canvas(image, recipe, geometry, format, why) &&
	    picture_keep_credit(image, &has_credit, why) &&
	    picture_encode(*image, format, recipe->quality, has_credit, output, why);
}

static unsigned
elapsed_us(int64_t since_us)
{
	return (unsigned)(monotonic_us() - since_us);
}

static bool
render(const struct source *source, const struct recipe *recipe, enum media format,
    const struct image_limits *limits, struct output *output, struct image_outcome *outcome,
    struct failure *why)
{
	int64_t started_us = monotonic_us();
	struct geometry geometry;
	VipsImage *image;
	bool is_made;

	if (!plan(recipe, &source->description, limits, &geometry, why) ||
	    !decode(source, &geometry, &image, why))
		return false;
	outcome->decode_us = elapsed_us(started_us);
	is_made = finish(&image, &source->description, recipe, &geometry, format, output, why);
	g_object_unref(image);
	outcome->width = geometry.width;
	outcome->height = geometry.height;
	outcome->bytes = output->bytes;
	outcome->total_us = elapsed_us(started_us);
	return is_made;
}

bool
image_render(int input, int output, const struct recipe *recipe, enum media format,
    const struct image_limits *limits, struct image_outcome *outcome, struct failure *why)
{
	struct output target = { .fd = output, .max_bytes = limits->max_output_bytes };
	struct source source;
	bool is_made;

	CHECK(media_is_writable(format));
	*outcome = (struct image_outcome){ 0 };
	if (!source_open(&source, input, limits, why))
		return false;
	outcome->source = source.description;
	is_made = render(&source, recipe, format, limits, &target, outcome, why);
	source_close(&source);
	return is_made;
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
