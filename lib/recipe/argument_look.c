/*
 * Arguments of several parts that say how the result looks.
 */
#include "recipe/argument.h"

#include <string.h>

static const struct recipe_colour black = { 0, 0, 0, UINT8_MAX };

static bool
is_black(struct recipe_colour colour)
{
	return memcmp(&colour, &black, sizeof(black)) == 0;
}

/* What the picture is coloured with covers all of it: how much of it is there is for
 * other operations to say. */
static bool
to_opaque_colour(struct span text, struct recipe_colour *colour)
{
	return argument_to_colour(text, colour) && colour->alpha == UINT8_MAX;
}

/* ---- duotone: two colours -------------------------------------------------------------- */

bool
argument_parse_duotone(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct span light = argument, dark = span_cut(&light, ':');

	if (light.at == NULL || !to_opaque_colour(dark, &recipe->duotone_dark) ||
	    !to_opaque_colour(light, &recipe->duotone_light))
		return argument_refuse(operation, argument, why);
	recipe->has_duotone = true;
	return true;
}

void
argument_print_duotone(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	if (!recipe->has_duotone)
		return;
	argument_add_colour(recipe->duotone_dark, out);
	text_add_char(out, ':');
	argument_add_colour(recipe->duotone_light, out);
}

/* ---- tint: a colour, perhaps an amount ---------------------------------------------------- */

enum { TINT_AMOUNT = 50 };	/* per cent, when it is not said */

bool
argument_parse_tint(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct span amount = argument, colour = span_cut(&amount, ':');
	uint64_t percent = TINT_AMOUNT;

	if (!to_opaque_colour(colour, &recipe->tint) ||
	    (amount.at != NULL && !span_to_u64(amount, 1, 100, &percent)))
		return argument_refuse(operation, argument, why);
	recipe->has_tint = true;
	recipe->tint_amount = (unsigned)percent;
	return true;
}

void
argument_print_tint(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	if (!recipe->has_tint)
		return;
	argument_add_colour(recipe->tint, out);
	if (recipe->tint_amount != TINT_AMOUNT)
		text_printf(out, ":%u", recipe->tint_amount);
}

/* ---- usm: amount, perhaps sigma, perhaps threshold ------------------------------------------ */

static const double unsharp_sigma = 1;	/* when it is not said */

bool
argument_parse_unsharp(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct recipe_unsharp *unsharp = &recipe->unsharp;
	struct span rest = argument, amount = span_cut(&rest, ':'), sigma = { NULL, 0 };
	uint64_t threshold = 0;

	if (rest.at != NULL)
		sigma = span_cut(&rest, ':');
	unsharp->sigma = unsharp_sigma;
	if (!argument_to_decimal(amount, 0.05, 5, 2, &unsharp->amount) ||
	    (sigma.at != NULL && !argument_to_decimal(sigma, 0.3, 20, 2, &unsharp->sigma)) ||
	    (rest.at != NULL && !span_to_u64(rest, 0, 255, &threshold)))
		return argument_refuse(operation, argument, why);
	unsharp->threshold = (unsigned)threshold;
	return true;
}

void
argument_print_unsharp(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	const struct recipe_unsharp *unsharp = &recipe->unsharp;

	(void)operation;
	if (unsharp->amount == 0)
		return;
	text_add_double(out, unsharp->amount);
	if (unsharp->sigma != unsharp_sigma || unsharp->threshold != 0) {
		text_add_char(out, ':');
		text_add_double(out, unsharp->sigma);
	}
	if (unsharp->threshold != 0)
		text_printf(out, ":%u", unsharp->threshold);
}

/* ---- border: a width, perhaps a colour -------------------------------------------------------- */

bool
argument_parse_border(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	struct span colour = argument, width = span_cut(&colour, ':');
	uint64_t pixels;

	recipe->border_colour = black;
	if (!span_to_u64(width, 1, 512, &pixels) ||
	    (colour.at != NULL && !argument_to_colour(colour, &recipe->border_colour)))
		return argument_refuse(operation, argument, why);
	recipe->border = (unsigned)pixels;
	return true;
}

void
argument_print_border(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	if (recipe->border == 0)
		return;
	text_printf(out, "%u", recipe->border);
	if (!is_black(recipe->border_colour)) {
		text_add_char(out, ':');
		argument_add_colour(recipe->border_colour, out);
	}
}

/* ---- round: a radius, or max ------------------------------------------------------------------- */

bool
argument_parse_radius(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	uint64_t pixels = 0;

	recipe->is_round = span_equals(argument, "max");
	if (!recipe->is_round && !span_to_u64(argument, 1, 4096, &pixels))
		return argument_refuse(operation, argument, why);
	recipe->radius = (unsigned)pixels;
	return true;
}

void
argument_print_radius(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	if (recipe->is_round)
		text_add(out, "max");
	else if (recipe->radius != 0)
		text_printf(out, "%u", recipe->radius);
}

/* ---- q: a number, or a word ----------------------------------------------------------------------- */

bool
argument_parse_quality(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	uint64_t quality = 0;

	if (span_equals(argument, "auto"))
		recipe->quality_choice = QUALITY_AUTO;
	else if (span_equals(argument, "low"))
		recipe->quality_choice = QUALITY_LOW;
	else if (span_to_u64(argument, 1, 100, &quality))
		recipe->quality_choice = QUALITY_GIVEN;
	else
		return argument_refuse(operation, argument, why);
	recipe->quality = (unsigned)quality;
	return true;
}

void
argument_print_quality(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	if (recipe->quality_choice == QUALITY_AUTO)
		text_add(out, "auto");
	else if (recipe->quality_choice == QUALITY_LOW)
		text_add(out, "low");
	else if (recipe->quality_choice == QUALITY_GIVEN)
		text_printf(out, "%u", recipe->quality);
}
