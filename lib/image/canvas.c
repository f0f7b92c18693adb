/*
 * canvas - what stands behind the picture and around it: background, pad, border, round.
 *
 * A background that was asked for goes behind all of it.  Without one, formats
 * that can be transparent stay so, and the others get white.  Grey pictures stay
 * grey unless a colour comes in.
 */
#include "image/pipeline.h"

#include <math.h>

enum { BANDS_MAX = 4 };

/* ---- colours in bands --------------------------------------------------------------------- */

bool
picture_to_rgb(VipsImage **image, struct failure *why)
{
	VipsImage *out;

	if (vips_image_get_bands(*image) >= 3)
		return true;
	if (vips_colourspace(*image, &out, VIPS_INTERPRETATION_sRGB, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "colour space");
	image_replace(image, out);
	return true;
}

bool
picture_add_alpha(VipsImage **image, struct failure *why)
{
	VipsImage *out;

	if (vips_image_hasalpha(*image))
		return true;
	if (vips_addalpha(*image, &out, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(image, out);
	return true;
}

bool
picture_own(VipsImage **image, struct failure *why)
{
	VipsImage *memory = vips_image_new_memory();

	if (memory == NULL || vips_image_write(*image, memory) == -1) {
		g_clear_object(&memory);
		return fail_from_vips(why, FAIL_INTERNAL, "memory");
	}
	image_replace(image, memory);
	return true;
}

/* Gives the picture the bands that this colour needs. */
static bool
make_room_for(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	bool is_grey = colour.red == colour.green && colour.green == colour.blue;

	return (is_grey || picture_to_rgb(image, why)) &&
	    (colour.alpha == OPAQUE || picture_add_alpha(image, why));
}

/* How many of them are colours: 1 or 3. */
static int
colour_bands(int bands)
{
	return bands < 3 ? 1 : 3;
}

/* The colour in the picture's bands, for which there must be room. */
static void
to_bands(struct recipe_colour colour, int bands, double out[BANDS_MAX])
{
	out[0] = colour.red;
	out[1] = colour.green;
	out[2] = colour.blue;
	out[colour_bands(bands)] = colour.alpha;
}

/* The pixel becomes so much of itself (its own alpha is in that already) and so much
 * of the colour; what the two leave of 1 is transparent.  Rounded half up. */
static void
mix(uint8_t *pixel, int bands, double part, struct recipe_colour colour, double colour_part)
{
	int colours = colour_bands(bands);
	double sum = part + colour_part, other[BANDS_MAX];

	to_bands(colour, bands, other);
	for (int i = 0; i < colours; i++) {
		double mixed = sum > 0 ? (part * pixel[i] + colour_part * other[i]) / sum : 0;

		pixel[i] = (uint8_t)(mixed + 0.5);
	}
	if (colours < bands)
		pixel[colours] = (uint8_t)(sum * OPAQUE + 0.5);
}

static double
alpha_of(const uint8_t *pixel, int bands)
{
	return colour_bands(bands) < bands ? pixel[bands - 1] / (double)OPAQUE : 1;
}

/* ---- behind ---------------------------------------------------------------------------------- */

struct recipe_colour
background_for(const struct recipe *recipe, enum media format)
{
	struct recipe_colour white = { OPAQUE, OPAQUE, OPAQUE, OPAQUE };
	struct recipe_colour nothing = { 0, 0, 0, 0 };

	if (recipe->has_background)
		return recipe->background;
	return media_has_alpha(format) ? nothing : white;
}

static bool
put_on_opaque(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	VipsArrayDouble *background;
	double bands[BANDS_MAX];
	VipsImage *out;
	bool is_flat;

	to_bands(colour, vips_image_get_bands(*image), bands);
	background = vips_array_double_new(bands, vips_image_get_bands(*image) - 1);
	is_flat = vips_flatten(*image, &out, "background", background, NULL) == 0;
	vips_area_unref(VIPS_AREA(background));
	if (!is_flat)
		return fail_from_vips(why, FAIL_INTERNAL, "background");
	image_replace(image, out);
	return true;
}

/* As "source over" (W3C Compositing and Blending Level 1, section 5.1). */
static void
lay_over(uint8_t *pixel, int bands, struct recipe_colour colour)
{
	double alpha = alpha_of(pixel, bands);

	mix(pixel, bands, alpha, colour, (1 - alpha) * colour.alpha / OPAQUE);
}

static bool
put_on_translucent(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	int width = vips_image_get_width(*image), height = vips_image_get_height(*image);
	int bands = vips_image_get_bands(*image);

	if (!picture_own(image, why))
		return false;
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			lay_over(VIPS_IMAGE_ADDR(*image, x, y), bands, colour);
	return true;
}

/* Transparent black would change nothing. */
static bool
put_on_background(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	if (!vips_image_hasalpha(*image) || colour.alpha == 0)
		return true;
	if (!make_room_for(image, colour, why))
		return false;
	return colour.alpha == OPAQUE ? put_on_opaque(image, colour, why) :
	    put_on_translucent(image, colour, why);
}

/* One colour seen on what is behind the picture: on white, after all, where it cannot be translucent. */
static struct recipe_colour
seen_on_background(struct recipe_colour colour, const struct recipe *recipe, enum media format)
{
	struct recipe_colour white = { OPAQUE, OPAQUE, OPAQUE, OPAQUE };
	uint8_t pixel[] = { colour.red, colour.green, colour.blue, colour.alpha };

	lay_over(pixel, BANDS_MAX, background_for(recipe, format));
	if (!media_has_alpha(format))
		lay_over(pixel, BANDS_MAX, white);
	return (struct recipe_colour){ pixel[0], pixel[1], pixel[2], pixel[3] };
}

/* ---- around ---------------------------------------------------------------------------------- */

bool
picture_cut(VipsImage **image, const struct geometry *geometry, struct failure *why)
{
	const struct rectangle *part = &geometry->cut;
	VipsImage *out;

	if (part->width == (unsigned)vips_image_get_width(*image) &&
	    part->height == (unsigned)vips_image_get_height(*image))
		return true;
	if (vips_extract_area(*image, &out, (int)part->x, (int)part->y, (int)part->width,
	    (int)part->height, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "cut");
	image_replace(image, out);
	return true;
}

/* The picture at a place of a larger one of this colour. */
static bool
surround(VipsImage **image, struct rectangle outer, struct recipe_colour colour, struct failure *why)
{
	VipsArrayDouble *background;
	double bands[BANDS_MAX];
	VipsImage *out;
	bool is_larger;

	if (outer.width == (unsigned)vips_image_get_width(*image) &&
	    outer.height == (unsigned)vips_image_get_height(*image))
		return true;
	if (!make_room_for(image, colour, why))
		return false;
	to_bands(colour, vips_image_get_bands(*image), bands);
	background = vips_array_double_new(bands, vips_image_get_bands(*image));
	is_larger = vips_embed(*image, &out, (int)outer.x, (int)outer.y, (int)outer.width, (int)outer.height,
	    "extend", VIPS_EXTEND_BACKGROUND, "background", background, NULL) == 0;
	vips_area_unref(VIPS_AREA(background));
	if (!is_larger)
		return fail_from_vips(why, FAIL_INTERNAL, "pad");
	image_replace(image, out);
	return true;
}

bool
picture_to_canvas(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why)
{
	struct recipe_colour colour = background_for(recipe, format);
	struct recipe_colour white = { OPAQUE, OPAQUE, OPAQUE, OPAQUE };
	struct rectangle canvas = { geometry->left, geometry->top, geometry->canvas_width,
		geometry->canvas_height };

	if (!put_on_background(image, colour, why) || !surround(image, canvas, colour, why))
		return false;
	/* A translucent background was asked for where none can be. */
	return media_has_alpha(format) || put_on_background(image, white, why);
}

/* ---- corners --------------------------------------------------------------------------------- */

/* The area between the arc of a circle around 0, 0 and a line y above it, from x = from
 * to x = to: the integral of sqrt(r^2 - x^2) - y, as far as that is positive. */
static double
area_above(double radius, double from, double to, double y)
{
	double end = fmin(to, sqrt(radius * radius - y * y));

	if (end <= from)
		return 0;
	return (end * sqrt(radius * radius - end * end) - from * sqrt(radius * radius - from * from) +
	    radius * radius * (asin(end / radius) - asin(from / radius))) / 2 - y * (end - from);
}

/* How much of the pixel at x, y a rounded corner at 0, 0 cuts away: 0 to 1. */
static double
cut_of_pixel(double radius, int x, int y)
{
	/* Distances from the centre of the circle; what lies beyond it belongs to the next corner. */
	double far_x = radius - x, near_x = fmax(far_x - 1, 0);
	double far_y = radius - y, near_y = fmax(far_y - 1, 0);
	double area = (far_x - near_x) * (far_y - near_y);

	if (far_x <= 0 || far_y <= 0 || hypot(far_x, far_y) <= radius)
		return 0;
	if (hypot(near_x, near_y) >= radius)
		return area;
	return area - area_above(radius, near_x, far_x, near_y) + area_above(radius, near_x, far_x, far_y);
}

/* The next row or column that a corner reaches. */
static int
next_in_corner(int at, int reach, int side)
{
	return at + 1 >= reach && at + 1 < side - reach ? side - reach : at + 1;
}

/* What is cut away becomes this colour, in exact shares of the pixels on the edge. */
static bool
round_corners(VipsImage **image, double radius, struct recipe_colour colour, struct failure *why)
{
	int width = vips_image_get_width(*image), height = vips_image_get_height(*image);
	int reach = (int)ceil(radius), bands;

	if (radius <= 0)
		return true;
	if (!make_room_for(image, colour, why) || !picture_own(image, why))
		return false;
	bands = vips_image_get_bands(*image);
	for (int y = 0; y < height; y = next_in_corner(y, reach, height))
		for (int x = 0; x < width; x = next_in_corner(x, reach, width)) {
			uint8_t *pixel = VIPS_IMAGE_ADDR(*image, x, y);
			/* In the middle of a circle of an odd width, a pixel belongs to two corners. */
			double cut = cut_of_pixel(radius, x, y) + cut_of_pixel(radius, width - 1 - x, y) +
			    cut_of_pixel(radius, x, height - 1 - y) +
			    cut_of_pixel(radius, width - 1 - x, height - 1 - y);

			if (cut > 0)
				mix(pixel, bands, (1 - cut) * alpha_of(pixel, bands), colour,
				    cut * colour.alpha / OPAQUE);
		}
	return true;
}

/* Of the outer edge. */
static double
corner_radius(const struct recipe *recipe, const struct geometry *geometry)
{
	double limit = (geometry->width < geometry->height ? geometry->width : geometry->height) / 2.0;

	return recipe->is_round ? limit : fmin(geometry_length(recipe, recipe->radius), limit);
}

/* The inner edge of a border is rounded too, so that a border is as wide in the corners as
 * elsewhere (CSS Backgrounds and Borders Level 3, section 5.2). */
bool
picture_to_frame(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why)
{
	struct recipe_colour nothing = { 0, 0, 0, 0 };
	struct recipe_colour behind = seen_on_background(nothing, recipe, format);
	struct recipe_colour border = seen_on_background(recipe->border_colour, recipe, format);
	double radius = corner_radius(recipe, geometry);
	struct rectangle outer = { geometry->border, geometry->border, geometry->width, geometry->height };

	if (geometry->border > 0 &&
	    (!round_corners(image, radius - geometry->border, border, why) || !surround(image, outer, border, why)))
		return false;
	return round_corners(image, radius, behind, why);
}
