/*
 * canvas - what stands behind the picture and around it.
 *
 * A background that was asked for goes behind all of it.  Without one, formats
 * that can be transparent stay so, and the others get white.
 */
#include "image/pipeline.h"

enum { OPAQUE = 255 };

static bool
cut(VipsImage **image, const struct rectangle *part, struct failure *why)
{
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

struct recipe_colour
background_for(const struct recipe *recipe, enum media format)
{
	struct recipe_colour white = { OPAQUE, OPAQUE, OPAQUE, OPAQUE };
	struct recipe_colour nothing = { 0, 0, 0, 0 };

	if (recipe->has_background)
		return recipe->background;
	return media_has_alpha(format) ? nothing : white;
}

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

static bool
put_on_opaque(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	double bands[] = { colour.red, colour.green, colour.blue };
	VipsArrayDouble *background;
	VipsImage *out;
	bool is_flat;

	if (!vips_image_hasalpha(*image))
		return true;
	background = vips_array_double_new(bands, 3);
	is_flat = vips_flatten(*image, &out, "background", background, NULL) == 0;
	vips_area_unref(VIPS_AREA(background));
	if (!is_flat)
		return fail_from_vips(why, FAIL_INTERNAL, "background");
	image_replace(image, out);
	return true;
}

static bool
put_on_translucent(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	double bands[] = { colour.red, colour.green, colour.blue, colour.alpha };
	VipsImage *plain, *out;
	bool is_composed;

	if (!vips_image_hasalpha(*image))
		return true;
	plain = vips_image_new_from_image(*image, bands, 4);
	if (plain == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "background");
	is_composed = vips_composite2(plain, *image, &out, VIPS_BLEND_MODE_OVER, NULL) == 0;
	g_object_unref(plain);
	if (!is_composed)
		return fail_from_vips(why, FAIL_INTERNAL, "background");
	image_replace(image, out);
	/* composite works in float. */
	if (vips_cast_uchar(*image, &out, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "background");
	image_replace(image, out);
	return true;
}

static bool
pad(VipsImage **image, const struct geometry *geometry, struct recipe_colour colour, struct failure *why)
{
	double bands[] = { colour.red, colour.green, colour.blue, colour.alpha };
	VipsArrayDouble *background;
	VipsImage *out;
	bool is_padded;

	if (geometry->canvas_width == (unsigned)vips_image_get_width(*image) &&
	    geometry->canvas_height == (unsigned)vips_image_get_height(*image))
		return true;
	if (!picture_to_rgb(image, why) || (colour.alpha != OPAQUE && !picture_add_alpha(image, why)))
		return false;
	background = vips_array_double_new(bands, vips_image_get_bands(*image));
	is_padded = vips_embed(*image, &out, (int)geometry->left, (int)geometry->top, (int)geometry->canvas_width,
	    (int)geometry->canvas_height, "extend", VIPS_EXTEND_BACKGROUND, "background", background, NULL) == 0;
	vips_area_unref(VIPS_AREA(background));
	if (!is_padded)
		return fail_from_vips(why, FAIL_INTERNAL, "pad");
	image_replace(image, out);
	return true;
}

/* Behind the picture itself; transparent black would change nothing. */
static bool
put_on_background(VipsImage **image, struct recipe_colour colour, struct failure *why)
{
	if (!vips_image_hasalpha(*image) || colour.alpha == 0)
		return true;
	if (!picture_to_rgb(image, why))
		return false;
	return colour.alpha == OPAQUE ? put_on_opaque(image, colour, why) :
	    put_on_translucent(image, colour, why);
}

bool
picture_cut(VipsImage **image, const struct geometry *geometry, struct failure *why)
{
	return cut(image, &geometry->cut, why);
}

bool
picture_to_canvas(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why)
{
	struct recipe_colour colour = background_for(recipe, format);
	struct recipe_colour white = { OPAQUE, OPAQUE, OPAQUE, OPAQUE };

	if (!put_on_background(image, colour, why) ||
	    !pad(image, geometry, colour, why))
		return false;
	/* A translucent background was asked for where none can be. */
	return media_has_alpha(format) || put_on_background(image, white, why);
}

bool
picture_to_frame(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why)
{
	(void)image, (void)recipe, (void)geometry, (void)format, (void)why;
	return true;
}
