/*
 * adjust - colours and sharpness.
 *
 * bri, con, sat, hue, invert, gray and sepia are the functions of CSS:
 * brightness(), contrast(), saturate(), hue-rotate(), invert(), grayscale() and
 * sepia() of the W3C's Filter Effects Module Level 1, section 13.1, on the numbers
 * of sRGB, so what looks right in a style sheet looks the same here.  They, duotone and tint are
 * all matrices, and only gamma is a curve.  Each step is rounded half up and
 * clipped to 8 bits, as between the filters of a browser, and leaves alpha alone.
 *
 * Grey pictures stay grey until a step gives them colours.
 */
#include "image/pipeline.h"

#include <math.h>

enum { COLOURS = 3, LEVELS = 256, WHITE_LEVEL = LEVELS - 1 };

/* out = gain * in + offset, in levels of 0 to 255. */
struct matrix {
	double gain[COLOURS][COLOURS];
	double offset[COLOURS];
};

/* How light a colour is (ITU-R BT.709 section 3.2): the coefficients of the W3C's matrices. */
static const double luma[COLOURS] = { 0.2126, 0.7152, 0.0722 };

/* ---- applying them --------------------------------------------------------------------- */

/* The gain has a row for each band of the result and a column for each of the image. */
static bool
multiply(VipsImage **image, const double *gain, int rows, struct failure *why)
{
	int columns = vips_image_get_bands(*image);
	VipsImage *matrix = vips_image_new_matrix_from_array(columns, rows, gain, rows * columns);
	VipsImage *out;
	bool is_done;

	if (matrix == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "colours");
	is_done = vips_recomb(*image, &out, matrix, NULL) == 0;
	g_object_unref(matrix);
	if (!is_done)
		return fail_from_vips(why, FAIL_INTERNAL, "colours");
	image_replace(image, out);
	return true;
}

/* libvips clips, but cuts the fraction off. */
static bool
add_and_round(VipsImage **image, double *offset, int bands, struct failure *why)
{
	double ones[COLOURS + 1] = { 1, 1, 1, 1 };
	VipsImage *out;

	for (int i = 0; i < bands; i++)
		offset[i] += 0.5;
	if (vips_linear(*image, &out, ones, offset, bands, "uchar", TRUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "colours");
	image_replace(image, out);
	return true;
}

/* A grey picture is taken through the first row: for those matrices that keep grey grey. */
static bool
apply(VipsImage **image, const struct matrix *matrix, struct failure *why)
{
	double gain[(COLOURS + 1) * (COLOURS + 1)] = { 0 }, offset[COLOURS + 1] = { 0 };
	int bands = vips_image_get_bands(*image);
	bool is_grey = bands < COLOURS;
	int colours = is_grey ? 1 : COLOURS;

	for (int to = 0; to < colours; to++) {
		for (int from = 0; from < colours; from++)
			gain[to * bands + from] = matrix->gain[to][from];
		offset[to] = matrix->offset[to];
	}
	if (is_grey)
		gain[0] = matrix->gain[0][0] + matrix->gain[0][1] + matrix->gain[0][2];
	for (int alpha = colours; alpha < bands; alpha++)
		gain[alpha * bands + alpha] = 1;
	return multiply(image, gain, bands, why) && add_and_round(image, offset, bands, why);
}

/* To one band: a third less in a PNG. */
static bool
to_grey(VipsImage **image, struct failure *why)
{
	double gain[2 * (COLOURS + 1)] = { luma[0], luma[1], luma[2] }, offset[2] = { 0 };
	int bands = vips_image_get_bands(*image), grey_bands = bands - COLOURS + 1;
	VipsImage *out;

	if (bands < COLOURS)
		return true;
	if (grey_bands == 2)
		gain[bands + COLOURS] = 1;
	if (!multiply(image, gain, grey_bands, why) || !add_and_round(image, offset, grey_bands, why))
		return false;
	if (vips_copy(*image, &out, "interpretation", VIPS_INTERPRETATION_B_W, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "colours");
	image_replace(image, out);
	return true;
}

static bool
apply_in_colour(VipsImage **image, const struct matrix *matrix, struct failure *why)
{
	return picture_to_rgb(image, why) && apply(image, matrix, why);
}

/* Each band but alpha through the same table of 256. */
static bool
apply_curve(VipsImage **image, const uint8_t *curve, struct failure *why)
{
	int bands = vips_image_get_bands(*image);
	int colours = bands < COLOURS ? 1 : COLOURS;
	uint8_t table[LEVELS * (COLOURS + 1)];
	VipsImage *lookup, *out;
	bool is_done;

	for (int level = 0; level < LEVELS; level++)
		for (int band = 0; band < bands; band++)
			table[level * bands + band] = band < colours ? curve[level] : (uint8_t)level;
	lookup = vips_image_new_from_memory_copy(table, (size_t)(LEVELS * bands), LEVELS, 1, bands,
	    VIPS_FORMAT_UCHAR);
	if (lookup == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "colours");
	/* The result is what the table says it is: four bands of no meaning have no alpha. */
	lookup->Type = vips_image_get_interpretation(*image);
	is_done = vips_maplut(*image, &out, lookup, NULL) == 0;
	g_object_unref(lookup);
	if (!is_done)
		return fail_from_vips(why, FAIL_INTERNAL, "colours");
	image_replace(image, out);
	return true;
}

/* ---- the steps ----------------------------------------------------------------------------- */

/* out = slope * in + intercept, for each colour by itself. */
static struct matrix
same_for_all(double slope, double intercept)
{
	struct matrix matrix = { 0 };

	for (int i = 0; i < COLOURS; i++) {
		matrix.gain[i][i] = slope;
		matrix.offset[i] = intercept;
	}
	return matrix;
}

/* Between how light a colour is (0) and the colour itself (1), and on beyond it. */
static struct matrix
saturate(double amount)
{
	struct matrix matrix = same_for_all(amount, 0);

	for (int to = 0; to < COLOURS; to++)
		for (int from = 0; from < COLOURS; from++)
			matrix.gain[to][from] += (1 - amount) * luma[from];
	return matrix;
}

/* feColorMatrix with type="hueRotate" (section 9.6), where the third term is given in numbers. */
static struct matrix
rotate_hue(unsigned degrees)
{
	static const double sine_gain[COLOURS][COLOURS] = {
		{ -0.2126, -0.7152, 0.9278 },
		{ 0.143, 0.140, -0.283 },
		{ -0.7874, 0.7152, 0.0722 },
	};
	double angle = degrees * G_PI / 180;
	struct matrix matrix = saturate(cos(angle));

	for (int to = 0; to < COLOURS; to++)
		for (int from = 0; from < COLOURS; from++)
			matrix.gain[to][from] += sin(angle) * sine_gain[to][from];
	return matrix;
}

static struct matrix
sepia(double amount)
{
	static const double full[COLOURS][COLOURS] = {
		{ 0.393, 0.769, 0.189 },
		{ 0.349, 0.686, 0.168 },
		{ 0.272, 0.534, 0.131 },
	};
	struct matrix matrix = same_for_all(1 - amount, 0);

	for (int to = 0; to < COLOURS; to++)
		for (int from = 0; from < COLOURS; from++)
			matrix.gain[to][from] += amount * full[to][from];
	return matrix;
}

/* Black becomes the dark colour, white the light one, and what lies between, between. */
static struct matrix
duotone(struct recipe_colour dark, struct recipe_colour light)
{
	const double low[COLOURS] = { dark.red, dark.green, dark.blue };
	const double high[COLOURS] = { light.red, light.green, light.blue };
	struct matrix matrix;

	for (int to = 0; to < COLOURS; to++) {
		for (int from = 0; from < COLOURS; from++)
			matrix.gain[to][from] = (high[to] - low[to]) / WHITE_LEVEL * luma[from];
		matrix.offset[to] = low[to];
	}
	return matrix;
}

static struct matrix
mix_with(struct recipe_colour colour, double amount)
{
	struct matrix matrix = same_for_all(1 - amount, 0);

	matrix.offset[0] = colour.red * amount;
	matrix.offset[1] = colour.green * amount;
	matrix.offset[2] = colour.blue * amount;
	return matrix;
}

static bool
apply_gamma(VipsImage **image, double gamma, struct failure *why)
{
	uint8_t curve[LEVELS];

	for (int level = 0; level < LEVELS; level++)
		curve[level] = (uint8_t)lround(WHITE_LEVEL * pow((double)level / WHITE_LEVEL, 1 / gamma));
	return apply_curve(image, curve, why);
}

static bool
adjust_tones(VipsImage **image, const struct recipe *recipe, struct failure *why)
{
	double brightness = 1 + recipe->brightness / 100.0, contrast = 1 + recipe->contrast / 100.0;
	struct matrix brighter = same_for_all(brightness, 0);
	struct matrix steeper = same_for_all(contrast, (1 - contrast) * WHITE_LEVEL / 2);
	struct matrix saturated = saturate(1 + recipe->saturation / 100.0);
	struct matrix turned = rotate_hue(recipe->hue);
	struct matrix inverted = same_for_all(-1, WHITE_LEVEL);

	return (recipe->brightness == 0 || apply(image, &brighter, why)) &&
	    (recipe->contrast == 0 || apply(image, &steeper, why)) &&
	    (recipe->saturation == 0 || apply(image, &saturated, why)) &&
	    (recipe->hue == 0 || apply(image, &turned, why)) &&
	    (recipe->gamma == 1 || apply_gamma(image, recipe->gamma, why)) &&
	    (!recipe->is_inverted || apply(image, &inverted, why));
}

static bool
adjust_colours(VipsImage **image, const struct recipe *recipe, struct failure *why)
{
	struct matrix brown = sepia(recipe->sepia / 100.0);
	struct matrix two_tones = duotone(recipe->duotone_dark, recipe->duotone_light);
	struct matrix tinted = mix_with(recipe->tint, recipe->tint_amount / 100.0);

	return (!recipe->is_grey || to_grey(image, why)) &&
	    (recipe->sepia == 0 || apply_in_colour(image, &brown, why)) &&
	    (!recipe->has_duotone || apply_in_colour(image, &two_tones, why)) &&
	    (!recipe->has_tint || apply_in_colour(image, &tinted, why));
}

bool
picture_adjust(VipsImage **image, const struct recipe *recipe, struct failure *why)
{
	return adjust_tones(image, recipe, why) && adjust_colours(image, recipe, why) &&
	    picture_focus(image, recipe, why);
}
