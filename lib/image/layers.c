/*
 * layers - what lies over the picture: made once, laid on every frame.
 *
 * Each pixel is (above * alpha + below * (1 - alpha)), in whole numbers and
 * rounded half up; over pixels that are themselves transparent, colours count by
 * their share of what is seen (W3C Compositing and Blending Level 1, section 5.1).
 * Not vips_composite2(): that works in float on the whole picture and leaves an
 * alpha band on pictures that had none.
 *
 * Grey pictures become RGB, and pictures that kept a profile get the colours that
 * look the same in it.
 */
#include "image/pipeline.h"

#include "base/check.h"

#include <math.h>

enum { FRACTION_PARTS = 1000000 };

/* ---- where ----------------------------------------------------------------------------- */

/* Fractions come from a text with at most six decimals, so this is exact. */
unsigned
layer_length(double fraction, unsigned side)
{
	uint64_t parts = (uint64_t)llround(fraction * FRACTION_PARTS);

	return (unsigned)((2 * parts * side + FRACTION_PARTS) / (2 * FRACTION_PARTS));
}

unsigned
layer_margin(double fraction, const struct geometry *canvas)
{
	return layer_length(fraction, VIPS_MIN(canvas->canvas_width, canvas->canvas_height));
}

bool
layer_is_left_out(unsigned min_width, unsigned min_height, bool is_imposed, const struct geometry *canvas)
{
	bool is_small = canvas->canvas_width < min_width || canvas->canvas_height < min_height;

	return is_small && (!is_imposed || canvas->shows_all);
}

/* -1: at the beginning; 0: in the middle; 1: at the end. */
struct sides {
	int across, down;
};

static const struct sides sides_of[] = {
	[GRAVITY_NORTH] = { 0, -1 },
	[GRAVITY_NORTH_EAST] = { 1, -1 },
	[GRAVITY_EAST] = { 1, 0 },
	[GRAVITY_SOUTH_EAST] = { 1, 1 },
	[GRAVITY_SOUTH] = { 0, 1 },
	[GRAVITY_SOUTH_WEST] = { -1, 1 },
	[GRAVITY_WEST] = { -1, 0 },
	[GRAVITY_NORTH_WEST] = { -1, -1 },
	[GRAVITY_CENTRE] = { 0, 0 },
};

/* What does not fit begins at 0. */
static int
place_on_axis(int side, int margin, int room)
{
	int start = side < 0 ? margin : side > 0 ? room - margin : room / 2;

	return VIPS_MAX(0, VIPS_MIN(start, room));
}

void
layer_place(struct layer *layer, enum recipe_gravity position, unsigned margin, const struct geometry *canvas)
{
	int room_across = (int)canvas->canvas_width - vips_image_get_width(layer->image);
	int room_down = (int)canvas->canvas_height - vips_image_get_height(layer->image);

	CHECK(position < G_N_ELEMENTS(sides_of));
	layer->left = place_on_axis(sides_of[position].across, (int)margin, room_across);
	layer->top = place_on_axis(sides_of[position].down, (int)margin, room_down);
}

/* ---- making ---------------------------------------------------------------------------- */

void
layers_add(struct layers *layers, struct layer layer)
{
	CHECK(layers->count < LAYERS_MAX);
	CHECK(vips_image_get_bands(layer.image) == 4 && vips_image_get_format(layer.image) == VIPS_FORMAT_UCHAR);
	layers->layers[layers->count++] = layer;
}

bool
layers_make(struct layers *layers, const struct overlays *overlays, int mark,
    const struct geometry *geometry, const struct image_limits *limits, struct failure *why)
{
	bool is_made;

	*layers = (struct layers){ 0 };
	is_made = !overlays->mark.is_set || layers_add_mark(layers, &overlays->mark, mark, geometry, limits, why);
	for (unsigned i = 0; i < overlays->caption_count && is_made; i++)
		is_made = layers_add_caption(layers, &overlays->captions[i], geometry, why);
	if (!is_made)
		layers_release(layers);
	return is_made;
}

void
layers_release(struct layers *layers)
{
	for (unsigned i = 0; i < layers->count; i++)
		g_object_unref(layers->layers[i].image);
	layers->count = 0;
}

/* ---- laying ---------------------------------------------------------------------------- */

static void
lay_on_opaque(uint8_t below[3], const uint8_t above[4])
{
	unsigned alpha = above[3];

	for (int i = 0; i < 3; i++)
		below[i] = (uint8_t)((above[i] * alpha + below[i] * (OPAQUE - alpha) + OPAQUE / 2) / OPAQUE);
}

/* The shares are parts of 255 * 255. */
static void
lay_on_translucent(uint8_t below[4], const uint8_t above[4])
{
	unsigned share_above = above[3] * OPAQUE, share_below = below[3] * (OPAQUE - above[3]);
	unsigned seen = share_above + share_below;

	for (int i = 0; i < 3; i++)
		below[i] = (uint8_t)((above[i] * share_above + below[i] * share_below + seen / 2) / seen);
	below[3] = (uint8_t)((seen + OPAQUE / 2) / OPAQUE);
}

static void
lay_row(uint8_t *below, int bands, const uint8_t *above, int length)
{
	for (int x = 0; x < length; x++, below += bands, above += 4) {
		if (above[3] == 0)
			continue;
		if (bands == 4)
			lay_on_translucent(below, above);
		else
			lay_on_opaque(below, above);
	}
}

/* As much of it as lies in the region. */
static void
lay_at(VipsRegion *region, VipsImage *above, int left, int top)
{
	VipsRect whole = { left, top, vips_image_get_width(above), vips_image_get_height(above) }, part;

	vips_rect_intersectrect(&whole, &region->valid, &part);
	for (int y = part.top; y < VIPS_RECT_BOTTOM(&part); y++)
		lay_row(VIPS_REGION_ADDR(region, part.left, y), vips_image_get_bands(region->im),
		    VIPS_IMAGE_ADDR(above, part.left - left, y - top), part.width);
}

/* Tiles begin at the top left of the canvas. */
static void
lay_tiles(VipsRegion *region, const struct layer *layer)
{
	int across = vips_image_get_width(layer->image) + layer->gap;
	int down = vips_image_get_height(layer->image) + layer->gap;
	const VipsRect *area = &region->valid;

	for (int top = area->top / down * down; top < VIPS_RECT_BOTTOM(area); top += down)
		for (int left = area->left / across * across; left < VIPS_RECT_RIGHT(area); left += across)
			lay_at(region, layer->image, left, top);
}

/* Called by libvips, on its threads, for one part of the picture after the other. */
static int
lay_on_region(VipsRegion *region, void *below, void *picture, void *user, gboolean *stop)
{
	const struct layers *layers = user;

	(void)picture, (void)stop;
	if (vips_region_prepare(below, &region->valid) == -1)
		return -1;
	vips_region_copy(below, region, &region->valid, region->valid.left, region->valid.top);
	for (unsigned i = 0; i < layers->count; i++) {
		const struct layer *layer = &layers->layers[i];

		if (layer->is_tiled)
			lay_tiles(region, layer);
		else
			lay_at(region, layer->image, layer->left, layer->top);
	}
	return 0;
}

/* ---- on one picture -------------------------------------------------------------------- */

/* Layers are sRGB.  What the profile calls the same colours; `owner` keeps it.
 * Alpha goes around the colour engine: 8.14.1 can crash on it (fixed in 8.14.5). */
static bool
convert(VipsImage *owner, VipsImage *layer, const void *profile, size_t length, VipsImage **converted,
    struct failure *why)
{
	VipsImage **t = (VipsImage **)vips_object_local_array(VIPS_OBJECT(owner), 7);

	if (vips_extract_band(layer, &t[0], 0, "n", 3, NULL) == -1 ||
	    vips_extract_band(layer, &t[1], 3, NULL) == -1 ||
	    vips_icc_import(t[0], &t[2], "input_profile", "srgb", "intent", VIPS_INTENT_RELATIVE, NULL) == -1 ||
	    vips_copy(t[2], &t[3], NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "layer");
	vips_image_set_blob_copy(t[3], VIPS_META_ICC_NAME, profile, length);
	if (vips_icc_export(t[3], &t[4], "intent", VIPS_INTENT_RELATIVE, "depth", 8, NULL) == -1)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "colour profile");
	if (vips_bandjoin2(t[4], t[1], &t[5], NULL) == -1 || (t[6] = vips_image_copy_memory(t[5])) == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "layer");
	*converted = t[6];
	return true;
}

/* A picture that kept its profile takes them in its own colours. */
static bool
convert_to_profile_of(VipsImage *picture, struct layers *layers, struct failure *why)
{
	const void *profile;
	size_t length;

	if (vips_image_get_typeof(picture, VIPS_META_ICC_NAME) == 0)
		return true;
	if (vips_image_get_blob(picture, VIPS_META_ICC_NAME, &profile, &length) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "colour profile");
	for (unsigned i = 0; i < layers->count; i++)
		if (!convert(picture, layers->layers[i].image, profile, length, &layers->layers[i].image, why))
			return false;
	return true;
}

/* The pixels are made when they are asked for, which may be after
 * layers_release(): the picture keeps what it needs. */
static struct layers *
kept_by(VipsImage *picture, const struct layers *layers)
{
	struct layers *kept = VIPS_NEW(VIPS_OBJECT(picture), struct layers);

	*kept = *layers;
	for (unsigned i = 0; i < kept->count; i++)
		vips_object_local(picture, g_object_ref(kept->layers[i].image));
	return kept;
}

static bool
lay(VipsImage *below, VipsImage *picture, const struct layers *layers, struct failure *why)
{
	struct layers *kept = kept_by(picture, layers);

	/* libvips notes that one needs the other, but holds no reference to it. */
	vips_object_local(picture, g_object_ref(below));
	if (vips_image_pipelinev(picture, VIPS_DEMAND_STYLE_THINSTRIP, below, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "layers");
	if (!convert_to_profile_of(picture, kept, why))
		return false;
	if (vips_image_generate(picture, vips_start_one, lay_on_region, vips_stop_one, below, kept) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "layers");
	return true;
}

bool
picture_lay(VipsImage **image, const struct layers *layers, struct failure *why)
{
	VipsImage *picture;

	if (layers->count == 0)
		return true;
	/* A profile for grey ends where colours begin. */
	if (!picture_to_rgb(image, why) || !picture_settle_profile(image, why))
		return false;
	CHECK(vips_image_get_format(*image) == VIPS_FORMAT_UCHAR);
	picture = vips_image_new();
	if (!lay(*image, picture, layers, why)) {
		g_object_unref(picture);
		return false;
	}
	image_replace(image, picture);
	return true;
}
