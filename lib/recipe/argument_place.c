/*
 * Arguments that say which part of the picture, which way up and how large.
 */
#include "recipe/argument.h"

#include <math.h>
#include <string.h>

enum {
	FRACTION_DECIMALS = 6,
	THOUSANDTHS = 1000,	/* ar: three decimals */
	RATIO_PART_MAX = 10000,
	HUNDREDTHS = 100,	/* rot: two decimals */
	FULL_TURN = 360
};

static const double fraction_min = 0.000001;

/* ---- w, h: pixels, or a fraction of the source ------------------------------------- */

static unsigned *
pixels_of(const struct operation *operation, struct recipe *recipe)
{
	return (unsigned *)((char *)recipe + operation->field);
}

static double *
fraction_of(const struct operation *operation, struct recipe *recipe)
{
	return (double *)((char *)recipe + operation->second);
}

bool
argument_parse_side(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	*pixels_of(operation, recipe) = 0;
	*fraction_of(operation, recipe) = 0;
	if (!argument_has_point(argument))
		return argument_parse_number(operation, argument, recipe, why);
	return argument_to_decimal(argument, fraction_min, 1, FRACTION_DECIMALS, fraction_of(operation, recipe)) ||
	    argument_refuse(operation, argument, why);
}

void
argument_print_side(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	double fraction = *(const double *)((const char *)recipe + operation->second);

	if (fraction != 0)
		argument_add_fraction(fraction, out);
	else
		argument_print_number(operation, recipe, out);
}

/* ---- ar: a ratio in lowest terms ---------------------------------------------------- */

static bool
to_thousandths(struct span text, unsigned *value)
{
	double number;

	if (!argument_to_decimal(text, 1.0 / THOUSANDTHS, RATIO_PART_MAX, 3, &number))
		return false;
	*value = (unsigned)lround(number * THOUSANDTHS);
	return true;
}

static unsigned
greatest_common_divisor(unsigned a, unsigned b)
{
	while (b != 0) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

bool
argument_parse_ratio(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct span height_text = argument, width_text = span_cut(&height_text, ':');
	unsigned width, height, divisor;

	if (height_text.at == NULL || !to_thousandths(width_text, &width) || !to_thousandths(height_text, &height))
		return argument_refuse(operation, argument, why);
	divisor = greatest_common_divisor(width, height);
	recipe->ratio.width = width / divisor;
	recipe->ratio.height = height / divisor;
	return true;
}

/* Whole numbers over the range of the grammar are written as their thousandths. */
void
argument_print_ratio(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	const struct recipe_ratio *ratio = &recipe->ratio;
	bool is_large = ratio->width > RATIO_PART_MAX || ratio->height > RATIO_PART_MAX;
	double unit = is_large ? THOUSANDTHS : 1;

	(void)operation;
	if (ratio->width == 0)
		return;
	text_add_double(out, ratio->width / unit);
	text_add_char(out, ':');
	text_add_double(out, ratio->height / unit);
}

/* ---- trim: a threshold, perhaps a colour --------------------------------------------- */

bool
argument_parse_trim(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct recipe_trim *trim = &recipe->trim;
	struct span colour = argument, threshold = span_cut(&colour, ':');
	uint64_t levels;

	memset(trim, 0, sizeof(*trim));
	trim->has_colour = colour.at != NULL;
	if (!span_to_u64(threshold, 1, 254, &levels) ||
	    (trim->has_colour && !argument_to_colour(colour, &trim->colour)))
		return argument_refuse(operation, argument, why);
	trim->threshold = (unsigned)levels;
	return true;
}

void
argument_print_trim(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	const struct recipe_trim *trim = &recipe->trim;

	(void)operation;
	if (trim->threshold == 0)
		return;
	text_printf(out, "%u", trim->threshold);
	if (trim->has_colour) {
		text_add_char(out, ':');
		argument_add_colour(trim->colour, out);
	}
}

/* ---- crop: a rectangle --------------------------------------------------------------- */

static bool
parse_crop_number(struct span text, bool is_fraction, double *value)
{
	if (argument_has_point(text) != is_fraction)
		return false;
	return argument_to_decimal(text, 0, is_fraction ? 1 : RECIPE_CROP_MAX,
	    is_fraction ? FRACTION_DECIMALS : 0, value);
}

bool
argument_parse_crop(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct recipe_crop *crop = &recipe->crop;
	double *numbers[4] = { &crop->x, &crop->y, &crop->width, &crop->height };
	struct span rest = argument;

	for (int i = 0; i < 4; i++) {
		struct span number = rest.at != NULL ? span_cut(&rest, ':') : span_of("");

		if (i == 0)
			crop->is_fraction = argument_has_point(number);
		if (!parse_crop_number(number, crop->is_fraction, numbers[i]))
			return argument_refuse(operation, argument, why);
	}
	if (rest.at != NULL || crop->width == 0 || crop->height == 0)
		return argument_refuse(operation, argument, why);
	crop->is_set = true;
	return true;
}

void
argument_print_crop(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	const struct recipe_crop *crop = &recipe->crop;
	const double numbers[4] = { crop->x, crop->y, crop->width, crop->height };

	(void)operation;
	if (!crop->is_set)
		return;
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_add_char(out, ':');
		if (crop->is_fraction)
			argument_add_fraction(numbers[i], out);
		else
			text_add_double(out, numbers[i]);
	}
}

/* ---- rot: an angle ------------------------------------------------------------------- */

bool
argument_parse_rotation(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	enum { TURN = FULL_TURN * HUNDREDTHS };
	double degrees;
	long hundredths;

	if (!argument_to_decimal(argument, -FULL_TURN, FULL_TURN, 2, &degrees))
		return argument_refuse(operation, argument, why);
	/* In whole hundredths, so that -0.01 is exactly what 359.99 is. */
	hundredths = (lround(degrees * HUNDREDTHS) + TURN) % TURN;
	recipe->rotation = (double)hundredths / HUNDREDTHS;
	return true;
}

void
argument_print_rotation(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	argument_print_decimal(operation, recipe, out);
}

/* ---- g: a side, a point, or what the renderer finds ------------------------------------ */

static bool
is_side_or_centre(enum recipe_gravity gravity)
{
	return gravity >= GRAVITY_NORTH && gravity <= GRAVITY_CENTRE;
}

static bool
parse_side_or_centre(const struct operation *operation, struct span text, struct recipe *recipe)
{
	unsigned word;

	if (!argument_to_word(operation, text, &word) || !is_side_or_centre(word))
		return false;
	recipe->gravity = word;
	return true;
}

static bool
parse_point(struct span x, struct span y, struct recipe *recipe)
{
	recipe->gravity = GRAVITY_POINT;
	return argument_to_decimal(x, 0, 1, FRACTION_DECIMALS, &recipe->gravity_x) &&
	    argument_to_decimal(y, 0, 1, FRACTION_DECIMALS, &recipe->gravity_y);
}

/* Both in pixels, or both with a decimal point. */
static bool
parse_offset(struct span x, struct span y, struct recipe_offset *offset)
{
	double max = argument_has_point(x) ? 1 : RECIPE_SIDE_MAX;
	unsigned decimals = argument_has_point(x) ? FRACTION_DECIMALS : 0;

	if (argument_has_point(x) != argument_has_point(y) ||
	    !argument_to_decimal(x, -max, max, decimals, &offset->x) ||
	    !argument_to_decimal(y, -max, max, decimals, &offset->y))
		return false;
	/* An offset of nothing is none, however it was written. */
	offset->is_fraction = argument_has_point(x) && (offset->x != 0 || offset->y != 0);
	return true;
}

bool
argument_parse_gravity(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct span third = argument, first = span_cut(&third, ':'), second = { NULL, 0 };
	bool is_valid;

	recipe->gravity_x = recipe->gravity_y = 0;
	memset(&recipe->gravity_offset, 0, sizeof(recipe->gravity_offset));
	if (third.at != NULL)
		second = span_cut(&third, ':');
	if (second.at == NULL)
		return argument_parse_word(operation, argument, recipe, why);
	if (third.at == NULL)
		is_valid = parse_point(first, second, recipe);
	else
		is_valid = parse_side_or_centre(operation, first, recipe) &&
		    parse_offset(second, third, &recipe->gravity_offset);
	return is_valid || argument_refuse(operation, argument, why);
}

static void
print_offset(const struct recipe_offset *offset, struct text *out)
{
	const double parts[2] = { offset->x, offset->y };

	if (offset->x == 0 && offset->y == 0)
		return;
	for (int i = 0; i < 2; i++) {
		text_add_char(out, ':');
		if (offset->is_fraction)
			argument_add_fraction(parts[i], out);
		else
			text_add_double(out, parts[i]);
	}
}

void
argument_print_gravity(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	if (recipe->gravity != GRAVITY_POINT) {
		argument_print_word(operation, recipe, out);
		if (is_side_or_centre(recipe->gravity))
			print_offset(&recipe->gravity_offset, out);
		return;
	}
	text_add_double(out, recipe->gravity_x);
	text_add_char(out, ':');
	text_add_double(out, recipe->gravity_y);
}
