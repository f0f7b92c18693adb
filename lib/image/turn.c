/*
 * turn - which way up: EXIF orientation, rot, flip.
 *
 * By quarters nothing is lost.  By other angles the picture is drawn anew, about
 * its centre, on a box around it; what the box has more is transparent, with
 * soft edges, until canvas.c puts the background behind.
 */
#include "image/pipeline.h"

#include <math.h>

bool
orientation_swaps_sides(unsigned orientation)
{
	return orientation >= 5;
}

unsigned
orientation_to_undo(unsigned orientation, const struct recipe *recipe)
{
	return recipe->orient == ORIENT_OFF ? 1 : orientation;
}

/*
 * Making a picture upright exchanges rows and columns (5 to 8), after
 * mirroring it across (2, 3, 7, 8), down (3, 4, 6, 7), or both.
 */
struct rectangle
rectangle_as_stored(struct rectangle upright, unsigned orientation, unsigned stored_width, unsigned stored_height)
{
	bool is_mirrored_across = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool is_mirrored_down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	struct rectangle at = upright;

	if (orientation_swaps_sides(orientation))
		at = (struct rectangle){ upright.y, upright.x, upright.height, upright.width };
	if (is_mirrored_across)
		at.x = stored_width - at.x - at.width;
	if (is_mirrored_down)
		at.y = stored_height - at.y - at.height;
	return at;
}

/* Orientations 6 and 8 undo each other, all others themselves. */
struct rectangle
rectangle_as_upright(struct rectangle stored, unsigned orientation, unsigned upright_width, unsigned upright_height)
{
	unsigned undone = orientation == 6 ? 8 : orientation == 8 ? 6 : orientation;

	return rectangle_as_stored(stored, undone, upright_width, upright_height);
}

/* ---- by quarters ----------------------------------------------------------------------- */

static bool
orient(VipsImage **image, unsigned orientation, struct failure *why)
{
	VipsImage *tagged, *upright;

	if (orientation == 1)
		return true;
	/* An SVG or a HEIC may carry a tag that does not hold: say which one does. */
	if (vips_copy(*image, &tagged, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "copy");
	image_replace(image, tagged);
	vips_image_set_int(*image, VIPS_META_ORIENTATION, (int)orientation);
	if (vips_autorot(*image, &upright, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "orientation");
	image_replace(image, upright);
	return true;
}

static bool
turn_by_quarters(VipsImage **image, unsigned quarters, struct failure *why)
{
	static const VipsAngle angles[] = { VIPS_ANGLE_D0, VIPS_ANGLE_D90, VIPS_ANGLE_D180, VIPS_ANGLE_D270 };
	VipsImage *turned;

	if (quarters == 0)
		return true;
	if (vips_rot(*image, &turned, angles[quarters], NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "rot");
	image_replace(image, turned);
	return true;
}

static bool
mirror(VipsImage **image, VipsDirection direction, struct failure *why)
{
	VipsImage *mirrored;

	if (vips_flip(*image, &mirrored, direction, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "flip");
	image_replace(image, mirrored);
	return true;
}

static bool
flip(VipsImage **image, enum recipe_flip flip, struct failure *why)
{
	return ((flip != FLIP_ACROSS && flip != FLIP_BOTH) || mirror(image, VIPS_DIRECTION_HORIZONTAL, why)) &&
	    ((flip != FLIP_DOWN && flip != FLIP_BOTH) || mirror(image, VIPS_DIRECTION_VERTICAL, why));
}

/* ---- by free angles ---------------------------------------------------------------------- */

/* 0 to 3 clockwise, or -1. */
static int
quarters_of(const struct recipe *recipe)
{
	double quarters = recipe->rotation / 90;

	return quarters == floor(quarters) ? (int)quarters : -1;
}

/* The scale of the side that shrinks less.  Where fit=fill squeezes the other one
 * more, that is left to picture_resize(), which averages. */
static double
scale_while_turning(const struct geometry *geometry)
{
	return fmax((double)geometry->scaled_width / geometry->turned_width,
	    (double)geometry->scaled_height / geometry->turned_height);
}

/* Whether both sides have one scale, as far as rounding one of them allows. */
static bool
keeps_its_shape(const struct geometry *geometry)
{
	double across = (double)geometry->scaled_width * geometry->turned_height;
	double down = (double)geometry->scaled_height * geometry->turned_width;

	return fabs(across - down) <= fmax(geometry->turned_width, geometry->turned_height);
}

void
picture_size_before_turning(const struct recipe *recipe, const struct geometry *geometry, unsigned *width,
    unsigned *height)
{
	int quarters = quarters_of(recipe);
	double scale = scale_while_turning(geometry);

	*width = geometry->scaled_width;
	*height = geometry->scaled_height;
	if (quarters == 1 || quarters == 3) {
		*width = geometry->scaled_height;
		*height = geometry->scaled_width;
	} else if (quarters == -1) {
		*width = (unsigned)fmax(round(geometry->source.width * scale), 1);
		*height = (unsigned)fmax(round(geometry->source.height * scale), 1);
	}
}

/*
 * Draws the picture, turned about its centre, on a canvas of this size, centre
 * on centre.  libvips counts from the middle of the first pixel.  Each of
 * `across` and `down` is what the picture's sides are still to be scaled by.
 */
static bool
draw_turned(VipsImage **image, double degrees, double across, double down, unsigned width, unsigned height,
    struct failure *why)
{
	double cosine = cos(degrees * M_PI / 180), sine = sin(degrees * M_PI / 180);
	double a = cosine * across, b = -sine * down, c = sine * across, d = cosine * down;
	double centre_x = (vips_image_get_width(*image) - 1) / 2.0;
	double centre_y = (vips_image_get_height(*image) - 1) / 2.0;
	VipsArrayInt *area = vips_array_int_newv(4, 0, 0, (int)width, (int)height);
	VipsInterpolate *bicubic = vips_interpolate_new("bicubic");
	VipsImage *turned;
	bool is_turned = vips_affine(*image, &turned, a, b, c, d, "oarea", area, "interpolate", bicubic,
	    "odx", (width - 1) / 2.0 - (a * centre_x + b * centre_y),
	    "ody", (height - 1) / 2.0 - (c * centre_x + d * centre_y), "premultiplied", TRUE, NULL) == 0;

	g_object_unref(bicubic);
	vips_area_unref(VIPS_AREA(area));
	if (!is_turned)
		return fail_from_vips(why, FAIL_INTERNAL, "rot");
	image_replace(image, turned);
	return true;
}

static bool
turn_freely(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry, struct failure *why)
{
	double scale = scale_while_turning(geometry);
	double across = geometry->source.width * scale / vips_image_get_width(*image);
	double down = geometry->source.height * scale / vips_image_get_height(*image);
	unsigned width = geometry->scaled_width, height = geometry->scaled_height;

	if (!keeps_its_shape(geometry)) {
		width = (unsigned)fmax(round(geometry->turned_width * scale), 1);
		height = (unsigned)fmax(round(geometry->turned_height * scale), 1);
	}
	return picture_add_alpha(image, why) && picture_weigh(image, why) &&
	    draw_turned(image, recipe->rotation, across, down, width, height, why) &&
	    picture_unweigh(image, VIPS_FORMAT_UCHAR, why) &&
	    picture_resize(image, geometry->scaled_width, geometry->scaled_height, why);
}

bool
picture_turn(VipsImage **image, unsigned orientation, const struct recipe *recipe,
    const struct geometry *geometry, enum media format, struct failure *why)
{
	int quarters = quarters_of(recipe);

	(void)format;
	return orient(image, orientation_to_undo(orientation, recipe), why) &&
	    (quarters == -1 ? turn_freely(image, recipe, geometry, why) :
	    turn_by_quarters(image, (unsigned)quarters, why)) &&
	    flip(image, recipe->flip, why);
}
