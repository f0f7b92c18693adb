#include "image/pipeline.h"

#include <math.h>

/* EXIF orientations 5 to 8 lie on their side (EXIF 2.32, tag 274). */
static bool
lies_on_its_side(unsigned orientation)
{
	return orientation >= 5;
}

/*
 * Where a rectangle of the upright picture is in the stored one, whose size
 * `stored` has.  Making a picture upright exchanges rows and columns (5 to 8),
 * after mirroring it across (2, 3, 7, 8), down (3, 4, 6, 7), or both.
 */
static struct rectangle
as_stored(struct rectangle upright, const struct image_description *stored)
{
	unsigned orientation = stored->orientation;
	bool is_mirrored_across = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool is_mirrored_down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	struct rectangle at = upright;

	if (lies_on_its_side(orientation))
		at = (struct rectangle){ upright.y, upright.x, upright.height, upright.width };
	if (is_mirrored_across)
		at.x = stored->width - at.x - at.width;
	if (is_mirrored_down)
		at.y = stored->height - at.y - at.height;
	return at;
}

/* An edge, in pixels of the stored picture, in those of the loaded one. */
static int
loaded_edge(unsigned edge, unsigned stored_side, int loaded_side)
{
	return (int)lround((double)edge * loaded_side / stored_side);
}

/*
 * After shrink-on-load an edge may fall between two pixels; it goes to the
 * nearer one.  A pixel of the result has at least two of these, so that is a
 * shift of a quarter of a pixel at most.
 */
static bool
cut_source(VipsImage **image, const struct image_description *stored, struct rectangle source,
    struct failure *why)
{
	struct rectangle at = as_stored(source, stored);
	int width = vips_image_get_width(*image), height = vips_image_get_height(*image);
	int left = loaded_edge(at.x, stored->width, width);
	int top = loaded_edge(at.y, stored->height, height);
	int right = loaded_edge(at.x + at.width, stored->width, width);
	int bottom = loaded_edge(at.y + at.height, stored->height, height);
	VipsImage *part;

	/* A sliver of less than half a loaded pixel still is one. */
	left = VIPS_MIN(left, width - 1);
	top = VIPS_MIN(top, height - 1);
	right = VIPS_MAX(right, left + 1);
	bottom = VIPS_MAX(bottom, top + 1);
	if (right - left == width && bottom - top == height)
		return true;
	if (vips_extract_area(*image, &part, left, top, right - left, bottom - top, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "crop");
	image_replace(image, part);
	return true;
}

/* Transparent pixels have a colour too, which must not bleed into their
 * neighbours: colours are weighted by alpha while they are mixed. */
static bool
premultiply(VipsImage **image, struct failure *why)
{
	VipsImage *weighted;

	if (vips_premultiply(*image, &weighted, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "premultiply");
	image_replace(image, weighted);
	return true;
}

static bool
unpremultiply(VipsImage **image, VipsBandFormat format, struct failure *why)
{
	VipsImage *plain, *cast;

	if (vips_unpremultiply(*image, &plain, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "unpremultiply");
	image_replace(image, plain);
	if (vips_cast(*image, &cast, format, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "cast");
	image_replace(image, cast);
	return true;
}

bool
picture_resize(VipsImage **image, unsigned width, unsigned height, struct failure *why)
{
	VipsImage *resized;

	if (vips_resize(*image, &resized, (double)width / vips_image_get_width(*image),
	    "vscale", (double)height / vips_image_get_height(*image), NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "resize");
	image_replace(image, resized);
	if (vips_image_get_width(*image) != (int)width || vips_image_get_height(*image) != (int)height)
		return fail(why, FAIL_INTERNAL, "resize gave %d x %d for %u x %u",
		    vips_image_get_width(*image), vips_image_get_height(*image), width, height);
	return true;
}

bool
picture_scale(VipsImage **image, const struct image_description *description, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	(void)recipe;
	bool is_turned = lies_on_its_side(description->orientation);
	unsigned width = is_turned ? geometry->scaled_height : geometry->scaled_width;
	unsigned height = is_turned ? geometry->scaled_width : geometry->scaled_height;
	VipsBandFormat format = vips_image_get_format(*image);

	if (!cut_source(image, description, geometry->source, why))
		return false;
	if (vips_image_get_width(*image) == (int)width && vips_image_get_height(*image) == (int)height)
		return true;
	if (!vips_image_hasalpha(*image))
		return picture_resize(image, width, height, why);
	return premultiply(image, why) && picture_resize(image, width, height, why) &&
	    unpremultiply(image, format, why);
}

bool
picture_decode(VipsImage **image, struct failure *why)
{
	VipsImage *decoded = vips_image_copy_memory(*image);

	if (decoded == NULL)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	image_replace(image, decoded);
	return fail_for_made_up_pixels(why);
}
