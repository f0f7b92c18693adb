#include "recipe/operation.h"

#include "base/check.h"
#include "recipe/argument.h"

#include <stddef.h>

/* ---- g: a side, or a point ------------------------------------------------------- */

enum { FRACTION_DECIMALS = 6 };

static const char *const gravity_words[GRAVITY_POINT] = {
	[GRAVITY_FOCUS] = "focus",
	[GRAVITY_NORTH] = "n",
	[GRAVITY_NORTH_EAST] = "ne",
	[GRAVITY_EAST] = "e",
	[GRAVITY_SOUTH_EAST] = "se",
	[GRAVITY_SOUTH] = "s",
	[GRAVITY_SOUTH_WEST] = "sw",
	[GRAVITY_WEST] = "w",
	[GRAVITY_NORTH_WEST] = "nw",
	[GRAVITY_CENTRE] = "c",
};

static bool
parse_gravity(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct span y = argument, x = span_cut(&y, ':');

	recipe->gravity_x = recipe->gravity_y = 0;
	if (y.at == NULL)
		return argument_parse_word(operation, argument, recipe, why);
	if (!argument_to_decimal(x, 0, 1, FRACTION_DECIMALS, &recipe->gravity_x) ||
	    !argument_to_decimal(y, 0, 1, FRACTION_DECIMALS, &recipe->gravity_y))
		return argument_refuse(operation, argument, why);
	recipe->gravity = GRAVITY_POINT;
	return true;
}

static void
print_gravity(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	if (recipe->gravity != GRAVITY_POINT) {
		argument_print_word(operation, recipe, out);
		return;
	}
	text_add_double(out, recipe->gravity_x);
	text_add_char(out, ':');
	text_add_double(out, recipe->gravity_y);
}

/* ---- crop: a rectangle ----------------------------------------------------------- */

static bool
has_point(struct span text)
{
	span_cut(&text, '.');
	return text.at != NULL;
}

static bool
parse_crop_number(struct span text, bool is_fraction, double *value)
{
	if (has_point(text) != is_fraction)
		return false;
	return argument_to_decimal(text, 0, is_fraction ? 1 : RECIPE_CROP_MAX,
	    is_fraction ? FRACTION_DECIMALS : 0, value);
}

static bool
parse_crop(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct recipe_crop *crop = &recipe->crop;
	double *numbers[4] = { &crop->x, &crop->y, &crop->width, &crop->height };
	struct span rest = argument;

	for (int i = 0; i < 4; i++) {
		struct span number = rest.at != NULL ? span_cut(&rest, ':') : span_of("");

		if (i == 0)
			crop->is_fraction = has_point(number);
		if (!parse_crop_number(number, crop->is_fraction, numbers[i]))
			return argument_refuse(operation, argument, why);
	}
	if (rest.at != NULL || crop->width == 0 || crop->height == 0)
		return argument_refuse(operation, argument, why);
	crop->is_set = true;
	return true;
}

static void
print_crop_number(double value, bool is_fraction, struct text *out)
{
	text_add_double(out, value);
	if (is_fraction && (value == 0 || value == 1))
		text_add(out, ".0");
}

static void
print_crop(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	const struct recipe_crop *crop = &recipe->crop;
	const double numbers[4] = { crop->x, crop->y, crop->width, crop->height };

	(void)operation;
	if (!crop->is_set)
		return;
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_add_char(out, ':');
		print_crop_number(numbers[i], crop->is_fraction, out);
	}
}

/* ---- the table ------------------------------------------------------------------- */

static const char *const fit_words[FIT_COUNT] = {
	[FIT_CONTAIN] = "contain",
	[FIT_COVER] = "cover",
	[FIT_FILL] = "fill",
	[FIT_PAD] = "pad",
	[FIT_OUTSIDE] = "outside",
};

#define NUMBER(member) \
	.parse = argument_parse_number, .print = argument_print_number, \
	.field = offsetof(struct recipe, member)
#define DECIMAL(member) \
	.parse = argument_parse_decimal, .print = argument_print_decimal, \
	.field = offsetof(struct recipe, member)
#define WORD(member, list) \
	.parse = argument_parse_word, .print = argument_print_word, \
	.field = offsetof(struct recipe, member), \
	.words = list, .word_count = sizeof(list) / sizeof(list[0])
#define SWITCH(member) \
	.parse = argument_parse_switch, .print = argument_print_switch, \
	.field = offsetof(struct recipe, member)
#define COLOUR(member, is_given) \
	.parse = argument_parse_colour, .print = argument_print_colour, \
	.field = offsetof(struct recipe, member), .presence = offsetof(struct recipe, is_given)

/* An operation keeps its place once URLs use it: the order is part of every
 * canonical text, and so of every key and ETag. */
const struct operation operations[] = {
	{
		.name = "w",
		.argument = "1..8192",
		.fallback = "follows from h",
		.help = "Width in pixels.",
		NUMBER(width), .min = 1, .max = RECIPE_SIDE_MAX,
	},
	{
		.name = "h",
		.argument = "1..8192",
		.fallback = "follows from w",
		.help = "Height in pixels.",
		NUMBER(height), .min = 1, .max = RECIPE_SIDE_MAX,
	},
	{
		.name = "dpr",
		.argument = "0.5..8, at most 3 decimals",
		.fallback = "1",
		.help = "Pixels of the result for each pixel of w and h.",
		DECIMAL(dpr), .min = 0.5, .max = 8, .decimals = 3, .initial = 1,
	},
	{
		.name = "fit",
		.argument = "contain, cover, fill, pad or outside",
		.fallback = "contain",
		.help = "How the image meets a box of w and h.",
		WORD(fit, fit_words),
	},
	{
		.name = "g",
		.argument = "n, ne, e, se, s, sw, w, nw, c, focus, or x:y from 0 to 1",
		.fallback = "focus: the asset's focal point, else c",
		.help = "What stays in the picture when it is cut (cover), and where it lies (pad).",
		.parse = parse_gravity, .print = print_gravity,
		.field = offsetof(struct recipe, gravity),
		.words = gravity_words, .word_count = GRAVITY_POINT,
	},
	{
		.name = "crop",
		.argument = "x:y:w:h, all in pixels, or all with a decimal point from 0.0 to 1.0",
		.fallback = "the whole image",
		.help = "The part of the upright original that is used.",
		.parse = parse_crop, .print = print_crop,
	},
	{
		.name = "bg",
		.argument = "rgb, rgba, rrggbb or rrggbbaa in hex, or transparent",
		.fallback = "transparent, or white where the format cannot be",
		.help = "The colour behind the image and of the margins of pad.",
		COLOUR(background, has_background),
	},
	{
		.name = "q",
		.argument = "1..100",
		.fallback = "by format",
		.help = "Quality of the encoder.",
		NUMBER(quality), .min = 1, .max = 100,
	},
	{
		.name = "enlarge",
		.argument = "0 or 1",
		.fallback = "0",
		.help = "Whether the image may become larger than the original.",
		SWITCH(may_enlarge),
	},
};

const unsigned operation_count = sizeof(operations) / sizeof(operations[0]);

_Static_assert(sizeof(operations) / sizeof(operations[0]) <= OPERATION_MAX,
    "a mask of operations has 64 bits");

int
operation_find(struct span name)
{
	for (unsigned i = 0; i < operation_count; i++)
		if (span_equals(name, operations[i].name))
			return (int)i;
	return -1;
}

uint64_t
operation_bit(const char *name)
{
	int index = operation_find(span_of(name));

	CHECK(index != -1);
	return UINT64_C(1) << index;
}

void
operation_print_table(struct text *out)
{
	text_add(out, "| operation | argument | default | meaning |\n|---|---|---|---|\n");
	for (unsigned i = 0; i < operation_count; i++)
		text_printf(out, "| `%s` | %s | %s | %s |\n", operations[i].name,
		    operations[i].argument, operations[i].fallback, operations[i].help);
}
