/*
 * mark - a watermark: a picture from the configuration, made to measure.
 *
 * It goes through the same steps as the picture it is laid on, within the same
 * limits: first frame, upright, sRGB; an SVG is drawn at the size it is needed.
 * Its size is that of "w=...,h=...,enlarge=1" for a box of `scale` times the
 * canvas, so it may grow.  A mark that cannot be decoded is the fault of who
 * configured it, not of the picture: FAIL_INTERNAL.
 */
#include "image/pipeline.h"

#include "base/check.h"

#include <math.h>

enum { AT_LEAST = 1 };

static bool
plan(const struct source *source, const struct mark *mark, const struct geometry *canvas,
    struct recipe *recipe, struct geometry *geometry, struct failure *why)
{
	const struct image_description *description = &source->description;
	struct geometry_source size;

	recipe_init(recipe);
	recipe->width = VIPS_MAX(AT_LEAST, layer_length(mark->scale, canvas->canvas_width));
	recipe->height = VIPS_MAX(AT_LEAST, layer_length(mark->scale, canvas->canvas_height));
	recipe->may_enlarge = true;
	recipe->gravity = GRAVITY_CENTRE;
	geometry_source_init(&size, recipe, description->width, description->height, description->orientation,
	    description->media);
	return geometry_plan(recipe, &size, geometry, why);
}

static bool
load(const struct source *source, const struct mark *mark, const struct geometry *canvas, VipsImage **image,
    struct failure *why)
{
	struct geometry geometry;
	struct recipe recipe;
	struct frames frames;

	if (!plan(source, mark, canvas, &recipe, &geometry, why) ||
	    !frames_load(&frames, source, &recipe, &geometry, why))
		return false;
	*image = g_object_ref(frames.images[0]);
	frames_release(&frames);
	if (picture_to_colour_space(image, ICC_SRGB, why) &&
	    picture_turn(image, source->description.orientation, &recipe, &geometry, MEDIA_PNG, why) &&
	    picture_to_rgb(image, why) && picture_add_alpha(image, why) && picture_own(image, why))
		return true;
	g_object_unref(*image);
	return false;
}

static bool
decode(int input, const struct mark *mark, const struct geometry *canvas, const struct image_limits *limits,
    VipsImage **image, struct failure *why)
{
	struct source source;
	bool is_loaded;

	if (!source_open(&source, input, NULL, MEDIA_NONE, limits, why))
		return false;
	is_loaded = load(&source, mark, canvas, image, why);
	source_close(&source);
	return is_loaded;
}

static void
fade(VipsImage *image, double opacity)
{
	size_t pixels = (size_t)vips_image_get_width(image) * (size_t)vips_image_get_height(image);
	uint8_t *alpha = (uint8_t *)VIPS_IMAGE_ADDR(image, 0, 0) + 3;

	for (size_t i = 0; i < pixels; i++)
		alpha[4 * i] = (uint8_t)lround(alpha[4 * i] * opacity);
}

bool
layers_add_mark(struct layers *layers, const struct mark *mark, int input, const struct geometry *canvas,
    const struct image_limits *limits, struct failure *why)
{
	struct failure cause = { 0 };
	struct layer layer = { .is_tiled = mark->is_tiled };
	unsigned margin = layer_margin(mark->margin, canvas);

	CHECK(input != -1);
	if (layer_is_left_out(mark->min_width, mark->min_height, mark->is_imposed, canvas))
		return true;
	if (!decode(input, mark, canvas, limits, &layer.image, &cause))
		return fail(why, FAIL_INTERNAL, "the watermark cannot be used: %s", cause.detail);
	fade(layer.image, mark->opacity);
	layer.gap = (int)margin;
	layer_place(&layer, mark->position, margin, canvas);
	layers_add(layers, layer);
	return true;
}
