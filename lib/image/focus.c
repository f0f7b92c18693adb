/*
 * focus - blur, pixelate, sharpen, usm.
 *
 * A blur is a convolution with exp(-(x^2 + y^2) / (2 sigma^2)), sampled at whole
 * pixels, cut off where it is below 1/1000 and normalised; beyond an edge the edge's
 * pixel goes on.  The two ways of sharpening add what such a blur takes away.
 * Colours are weighted by alpha while they are mixed, so that those of transparent
 * pixels, which nobody sees, do not bleed.  Each step is rounded half up and clipped
 * to 8 bits.  The time a blur takes does not grow with its sigma.
 */
#include "image/pipeline.h"

#include <math.h>
#include <string.h>

/* vips_gaussblur() knows no less, and takes its default of 0.2 when asked for it. */
static const double mask_ends_below = 0.001;

/* ---- blurring -------------------------------------------------------------------------- */

static bool
blur_with_mask(VipsImage **image, double sigma, struct failure *why)
{
	VipsImage *out;

	/* Masks of whole numbers, the default, have steps of a twentieth. */
	if (vips_gaussblur(*image, &out, sigma, "min_ampl", mask_ends_below,
	    "precision", VIPS_PRECISION_FLOAT, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	return true;
}

/* The mean over blocks would be cheaper, but its aliasing is seen through the blur.
 * As floats: the whole numbers that 8 bits are weighted with are too coarse for many. */
static bool
shrink(VipsImage **image, int factor, struct failure *why)
{
	VipsImage *out;

	if (vips_cast_float(*image, &out, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	if (vips_reduce(*image, &out, factor, factor, "kernel", VIPS_KERNEL_CUBIC, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	return true;
}

/* By hand, because vips_resize() in 8.14.1 enlarges to half a pixel beside.  Into memory
 * before, because an interpolation asks for the same pixels many times. */
static bool
enlarge(VipsImage **image, int factor, const VipsRect *part, struct failure *why)
{
	VipsArrayInt *area = vips_array_int_newv(4, part->left, part->top, part->width, part->height);
	VipsInterpolate *cubic = vips_interpolate_new("bicubic");
	double centre = (factor - 1) / 2.0;
	VipsImage *small = vips_image_copy_memory(*image), *out;
	bool is_done = small != NULL && cubic != NULL && vips_affine(small, &out, factor, 0, 0, factor,
	    "odx", centre, "ody", centre, "oarea", area, "interpolate", cubic, "premultiplied", TRUE, NULL) == 0;

	vips_area_unref(VIPS_AREA(area));
	g_clear_object(&cubic);
	g_clear_object(&small);
	if (!is_done)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	return true;
}

static int
round_up(int length, int factor)
{
	return (length + factor - 1) / factor * factor;
}

/* What a wide blur leaves can be held by fewer pixels: it is shrunk, blurred and enlarged
 * again, within one level of the mask's result.  The margin makes the outermost of the
 * fewer pixels, which goes on in the blur, one of the edge alone. */
static bool
blur_widely(VipsImage **image, int factor, double sigma, struct failure *why)
{
	int width = vips_image_get_width(*image), height = vips_image_get_height(*image);
	int margin = 3 * factor;	/* of which the cubic filter looks at two and a half */
	VipsRect part = { margin, margin, width, height };
	VipsImage *out;

	if (vips_embed(*image, &out, margin, margin, round_up(width, factor) + 2 * margin,
	    round_up(height, factor) + 2 * margin, "extend", VIPS_EXTEND_COPY, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	return shrink(image, factor, why) && blur_with_mask(image, sigma / factor, why) &&
	    enlarge(image, factor, &part, why);
}

static bool
blur_colours(VipsImage **image, double sigma, struct failure *why)
{
	/* From 2 on cubic interpolation follows what is left; larger factors only need larger margins. */
	int factor = (int)fmin(sigma / 2, 32);

	return factor >= 2 ? blur_widely(image, factor, sigma, why) : blur_with_mask(image, sigma, why);
}

/* Makes floats of it, which are not yet rounded. */
static bool
soften(VipsImage **image, double sigma, struct failure *why)
{
	VipsImage *out;

	if (!vips_image_hasalpha(*image))
		return blur_colours(image, sigma, why);
	if (vips_premultiply(*image, &out, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	if (!blur_colours(image, sigma, why))
		return false;
	if (vips_unpremultiply(*image, &out, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "blur");
	image_replace(image, out);
	return true;
}

/* libvips clips, but cuts the fraction off. */
static bool
round_to_8_bits(VipsImage **image, struct failure *why)
{
	VipsImage *out;

	if (vips_linear1(*image, &out, 1, 0.5, "uchar", TRUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "rounding");
	image_replace(image, out);
	return true;
}

static bool
blur(VipsImage **image, double sigma, struct failure *why)
{
	return soften(image, sigma, why) && round_to_8_bits(image, why);
}

/* ---- sharpening ------------------------------------------------------------------------ */

/* What a blur takes away, with its sign; also of alpha. */
static bool
find_detail(VipsImage *image, double sigma, VipsImage **detail, struct failure *why)
{
	VipsImage *soft = g_object_ref(image);
	bool is_found = soften(&soft, sigma, why);

	if (is_found && vips_subtract(image, soft, detail, NULL) == -1)
		is_found = fail_from_vips(why, FAIL_INTERNAL, "sharpening");
	g_object_unref(soft);
	return is_found;
}

/* Leaves nothing where it is under the threshold. */
static bool
drop_small(VipsImage **detail, unsigned threshold, struct failure *why)
{
	VipsImage *steps[4] = { 0 };
	bool is_done = vips_abs(*detail, &steps[0], NULL) == 0 &&
	    vips_moreeq_const1(steps[0], &steps[1], threshold, NULL) == 0 &&
	    /* Comparing answers 255 for yes. */
	    vips_linear1(steps[1], &steps[2], 1 / 255.0, 0, NULL) == 0 &&
	    vips_multiply(*detail, steps[2], &steps[3], NULL) == 0;

	if (is_done)
		image_replace(detail, g_object_ref(steps[3]));
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		g_clear_object(&steps[i]);
	return is_done || fail_from_vips(why, FAIL_INTERNAL, "sharpening");
}

/* image += gain * detail; the gain is a square of as many bands, row after row. */
static bool
add_detail(VipsImage **image, VipsImage *detail, const double *gain, struct failure *why)
{
	int bands = vips_image_get_bands(*image);
	VipsImage *steps[3] = { 0 };
	bool is_done = (steps[0] = vips_image_new_matrix_from_array(bands, bands, gain, bands * bands)) != NULL &&
	    vips_recomb(detail, &steps[1], steps[0], NULL) == 0 &&
	    vips_add(*image, steps[1], &steps[2], NULL) == 0;

	if (is_done)
		image_replace(image, g_object_ref(steps[2]));
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		g_clear_object(&steps[i]);
	if (!is_done)
		return fail_from_vips(why, FAIL_INTERNAL, "sharpening");
	return round_to_8_bits(image, why);
}

/* By bands: what the detail of each (columns) adds to each (rows).  All colours get
 * the same, so that edges have no fringes; the coefficients are those of adjust.c. */
static const double lightness_gain[][16] = {
	{ 1 },
	{ 1, 0, 0, 0 },
	{ 0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722 },
	{ 0.2126, 0.7152, 0.0722, 0, 0.2126, 0.7152, 0.0722, 0, 0.2126, 0.7152, 0.0722, 0, 0, 0, 0, 0 },
};

static bool
sharpen(VipsImage **image, double sigma, struct failure *why)
{
	int bands = vips_image_get_bands(*image);
	VipsImage *detail;
	bool is_done;

	if (!find_detail(*image, sigma, &detail, why))
		return false;
	is_done = add_detail(image, detail, lightness_gain[bands - 1], why);
	g_object_unref(detail);
	return is_done;
}

static bool
unsharp(VipsImage **image, const struct recipe_unsharp *unsharp, double dpr, struct failure *why)
{
	int bands = vips_image_get_bands(*image);
	int colours = vips_image_hasalpha(*image) ? bands - 1 : bands;
	double gain[16] = { 0 };
	VipsImage *detail;
	bool is_done;

	for (int i = 0; i < colours; i++)
		gain[i * bands + i] = unsharp->amount;
	if (!find_detail(*image, unsharp->sigma * dpr, &detail, why))
		return false;
	is_done = (unsharp->threshold == 0 || drop_small(&detail, unsharp->threshold, why)) &&
	    add_detail(image, detail, gain, why);
	g_object_unref(detail);
	return is_done;
}

/* ---- blocks ---------------------------------------------------------------------------- */

/* Rounded half up; all zero where everything is transparent. */
static void
find_mean(VipsImage *image, const VipsRect *block, uint8_t mean[4])
{
	int bands = vips_image_get_bands(image);
	int colours = vips_image_hasalpha(image) ? bands - 1 : bands;
	uint64_t sums[4] = { 0 }, weight = 0, count = (uint64_t)block->width * (uint64_t)block->height;

	for (int y = block->top; y < VIPS_RECT_BOTTOM(block); y++) {
		const uint8_t *pixel = VIPS_IMAGE_ADDR(image, block->left, y);

		for (int x = 0; x < block->width; x++, pixel += bands) {
			unsigned alpha = colours < bands ? pixel[colours] : 255;

			for (int i = 0; i < colours; i++)
				sums[i] += pixel[i] * alpha;
			weight += alpha;
		}
	}
	memset(mean, 0, 4);
	for (int i = 0; i < colours && weight > 0; i++)
		mean[i] = (uint8_t)((2 * sums[i] + weight) / (2 * weight));
	if (colours < bands)
		mean[colours] = (uint8_t)((2 * weight + count) / (2 * count));
}

static void
fill(VipsImage *image, const VipsRect *block, const uint8_t *colour)
{
	int bands = vips_image_get_bands(image);

	for (int y = block->top; y < VIPS_RECT_BOTTOM(block); y++)
		for (int x = block->left; x < VIPS_RECT_RIGHT(block); x++)
			memcpy(VIPS_IMAGE_ADDR(image, x, y), colour, (size_t)bands);
}

static bool
pixelate(VipsImage **image, int side, struct failure *why)
{
	VipsRect all = { 0, 0, vips_image_get_width(*image), vips_image_get_height(*image) };

	if (!picture_own(image, why))
		return false;
	for (int top = 0; top < all.height; top += side)
		for (int left = 0; left < all.width; left += side) {
			VipsRect block = { left, top, side, side };
			uint8_t mean[4];

			vips_rect_intersectrect(&block, &all, &block);
			find_mean(*image, &block, mean);
			fill(*image, &block, mean);
		}
	return true;
}

bool
picture_focus(VipsImage **image, const struct recipe *recipe, struct failure *why)
{
	unsigned side = geometry_length(recipe, recipe->pixelate);

	return (recipe->blur == 0 || blur(image, recipe->blur * recipe->dpr, why)) &&
	    (side <= 1 || pixelate(image, (int)side, why)) &&
	    (recipe->sharpen == 0 || sharpen(image, recipe->sharpen * recipe->dpr, why)) &&
	    (recipe->unsharp.amount == 0 || unsharp(image, &recipe->unsharp, recipe->dpr, why));
}
