/*
 * resize - from the stored pixels to the scaled picture.
 *
 * BUGS: libvips drops the last column and row of a JPEG that is shrunk on load when
 * they are incomplete, and what is left is stretched to the size: up to 0.44 pixels
 * of the result at the right and bottom edges, nothing at the left and top.
 */
#include "image/pipeline.h"

#include <math.h>

/* So many times the size or more, where libvips averages first. */
enum { AVERAGES_FROM = 4 };

/* An edge, in pixels of the stored picture, in those of the loaded one. */
static int
loaded_edge(unsigned edge, unsigned stored_side, int loaded_side)
{
	return (int)lround((double)edge * loaded_side / stored_side);
}

/*
 * After shrink-on-load an edge may fall between two pixels; it goes to the
 * nearer one.  A pixel of the result has at least two of these, so that is a
 * shift of a quarter of a pixel at most; of half a one for an SVG, which is drawn
 * at the size of the result.
 */
static bool
cut_source(VipsImage **image, const struct image_description *stored, struct rectangle at, struct failure *why)
{
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

bool
picture_weigh(VipsImage **image, struct failure *why)
{
	VipsImage *weighted;

	if (vips_premultiply(*image, &weighted, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "premultiply");
	image_replace(image, weighted);
	return true;
}

/* libvips clips to the format's range, but cuts fractions off. */
static bool
round_to(VipsImage **image, VipsBandFormat format, struct failure *why)
{
	VipsImage *raised, *cast;

	if (vips_band_format_isint(format)) {
		if (vips_linear1(*image, &raised, 1, 0.5, NULL) == -1)
			return fail_from_vips(why, FAIL_INTERNAL, "rounding");
		image_replace(image, raised);
	}
	if (vips_cast(*image, &cast, format, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "cast");
	image_replace(image, cast);
	return true;
}

bool
picture_unweigh(VipsImage **image, VipsBandFormat format, struct failure *why)
{
	VipsImage *plain;

	if (vips_unpremultiply(*image, &plain, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "unpremultiply");
	image_replace(image, plain);
	return round_to(image, format, why);
}

/* What libvips does below four times the size, Lanczos alone, in less time. */
static bool
shrink_plain(VipsImage **image, unsigned width, unsigned height, struct failure *why)
{
	VipsImage *lower;

	if (vips_reducev(*image, &lower, (double)vips_image_get_height(*image) / height, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "resize");
	image_replace(image, lower);
	return picture_narrow(image, (int)width, why);
}

/* By averages down to about twice the size, then Lanczos. */
static bool
shrink(VipsImage **image, unsigned width, unsigned height, struct failure *why)
{
	VipsImage *shrunk;

	if (picture_is_plain(*image) && !vips_image_hasalpha(*image) &&
	    (unsigned)vips_image_get_width(*image) < AVERAGES_FROM * width &&
	    (unsigned)vips_image_get_height(*image) < AVERAGES_FROM * height)
		return shrink_plain(image, width, height, why);
	if (vips_resize(*image, &shrunk, (double)width / vips_image_get_width(*image),
	    "vscale", (double)height / vips_image_get_height(*image), NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "resize");
	image_replace(image, shrunk);
	return true;
}

/*
 * By hand, because vips_resize() of 8.14.1 enlarges to half a pixel beside.
 * libvips counts from the middle of the first pixel, which a scale moves by half
 * of what is added to it.  From memory: bicubic asks for each row several times.
 */
static bool
enlarge(VipsImage **image, unsigned width, unsigned height, struct failure *why)
{
	double across = (double)width / vips_image_get_width(*image);
	double down = (double)height / vips_image_get_height(*image);
	VipsArrayInt *area;
	VipsInterpolate *bicubic;
	VipsImage *enlarged;
	bool is_enlarged;

	if (!picture_decode(image, why))
		return false;
	area = vips_array_int_newv(4, 0, 0, (int)width, (int)height);
	bicubic = vips_interpolate_new("bicubic");
	is_enlarged = vips_affine(*image, &enlarged, across, 0, 0, down, "odx", (across - 1) / 2,
	    "ody", (down - 1) / 2, "oarea", area, "interpolate", bicubic, "extend", VIPS_EXTEND_COPY,
	    "premultiplied", TRUE, NULL) == 0;
	g_object_unref(bicubic);
	vips_area_unref(VIPS_AREA(area));
	if (!is_enlarged)
		return fail_from_vips(why, FAIL_INTERNAL, "resize");
	image_replace(image, enlarged);
	return true;
}

/* One side may shrink while the other grows (fit=fill). */
static bool
resize(VipsImage **image, unsigned width, unsigned height, struct failure *why)
{
	unsigned from_width = (unsigned)vips_image_get_width(*image);
	unsigned from_height = (unsigned)vips_image_get_height(*image);

	if ((width < from_width || height < from_height) &&
	    !shrink(image, VIPS_MIN(width, from_width), VIPS_MIN(height, from_height), why))
		return false;
	if ((width > from_width || height > from_height) && !enlarge(image, width, height, why))
		return false;
	if (vips_image_get_width(*image) != (int)width || vips_image_get_height(*image) != (int)height)
		return fail(why, FAIL_INTERNAL, "resize gave %d x %d for %u x %u",
		    vips_image_get_width(*image), vips_image_get_height(*image), width, height);
	return true;
}

bool
picture_resize(VipsImage **image, unsigned width, unsigned height, struct failure *why)
{
	VipsBandFormat format = vips_image_get_format(*image);

	if (vips_image_get_width(*image) == (int)width && vips_image_get_height(*image) == (int)height)
		return true;
	if (!vips_image_hasalpha(*image))
		return resize(image, width, height, why);
	return picture_weigh(image, why) && resize(image, width, height, why) && picture_unweigh(image, format, why);
}

bool
picture_scale(VipsImage **image, const struct image_description *description, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	unsigned orientation = orientation_to_undo(description->orientation, recipe);
	struct rectangle at = rectangle_as_stored(geometry->source, orientation, description->width,
	    description->height);
	unsigned width, height;

	picture_size_before_turning(recipe, geometry, &width, &height);
	return cut_source(image, description, at, why) &&
	    (orientation_swaps_sides(orientation) ? picture_resize(image, height, width, why) :
	    picture_resize(image, width, height, why));
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

VipsImage *
picture_in(void *memory, VipsImage *like)
{
	VipsImage *image = memory == NULL ? vips_image_new_memory() :
	    vips_image_new_from_memory(memory, VIPS_IMAGE_SIZEOF_IMAGE(like), vips_image_get_width(like),
	    vips_image_get_height(like), vips_image_get_bands(like), vips_image_get_format(like));

	if (image == NULL || vips_image_pipelinev(image, VIPS_DEMAND_STYLE_THINSTRIP, like, NULL) == -1)
		g_clear_object(&image);
	return image;
}
