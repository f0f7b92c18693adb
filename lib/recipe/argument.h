/*
 * argument - reading and printing what stands behind an operation's "=".
 *
 * Each kind is a pair of functions for a row of the table in operation.c:
 * argument_parse_KIND() and argument_print_KIND().  The plain kinds work on the
 * field that the row names, whose type is part of the kind:
 *
 *	number		unsigned, from min to max
 *	integer		int, from min to max
 *	bytes		uint64_t, from min to max
 *	decimal		double, from min to max with so many decimals
 *	word		an enum whose values count the words from 0; a value without a
 *			word cannot be written
 *	switch		bool, written 0 or 1
 *	colour		struct recipe_colour, and the bool of `second`
 *	side		unsigned pixels or, with a decimal point, the double of `second`
 *
 * The other kinds belong to one operation each and know its fields themselves:
 * argument_place.c says which part of the picture, argument_look.c how it looks,
 * argument_text.c what is written.
 *
 * A parser sets every field of its operation, because a preset may have set them
 * before.  What it refuses leaves the recipe of no use.
 */
#ifndef RECIPE_ARGUMENT_H
#define RECIPE_ARGUMENT_H

#include "recipe/operation.h"

#define ARGUMENT_KIND(kind) \
	bool argument_parse_##kind(const struct operation *operation, struct span argument, \
	    struct recipe *recipe, struct failure *why); \
	void argument_print_##kind(const struct operation *operation, const struct recipe *recipe, \
	    struct text *out)

ARGUMENT_KIND(number);
ARGUMENT_KIND(integer);
ARGUMENT_KIND(bytes);
ARGUMENT_KIND(decimal);
ARGUMENT_KIND(word);
ARGUMENT_KIND(switch);
ARGUMENT_KIND(colour);

/* argument_place.c */
ARGUMENT_KIND(side);
ARGUMENT_KIND(ratio);
ARGUMENT_KIND(trim);
ARGUMENT_KIND(crop);
ARGUMENT_KIND(rotation);
ARGUMENT_KIND(gravity);

/* argument_look.c */
ARGUMENT_KIND(duotone);
ARGUMENT_KIND(tint);
ARGUMENT_KIND(unsharp);
ARGUMENT_KIND(border);
ARGUMENT_KIND(radius);
ARGUMENT_KIND(quality);

/* argument_text.c */
ARGUMENT_KIND(watermark);
ARGUMENT_KIND(caption);
ARGUMENT_KIND(download);

#undef ARGUMENT_KIND

/* Puts the operation's default into its field. */
void argument_set_initial(const struct operation *operation, struct recipe *recipe);

/* ---- for the kinds themselves ------------------------------------------------------- */

/* Fails with the operation's name and grammar and what was given instead. */
bool argument_refuse(const struct operation *operation, struct span argument, struct failure *why);

/* A decimal with at most so many digits after the point. */
bool argument_to_decimal(struct span text, double min, double max, unsigned decimals, double *value);

/* Which of the operation's words it is. */
bool argument_to_word(const struct operation *operation, struct span text, unsigned *value);

/* "transparent", or hex: rgb, rgba, rrggbb, rrggbbaa. */
bool argument_to_colour(struct span text, struct recipe_colour *colour);
void argument_add_colour(struct recipe_colour colour, struct text *out);

/* Whether it has a decimal point, which tells fractions from pixels. */
bool argument_has_point(struct span text);
/* Always with a decimal point. */
void argument_add_fraction(double fraction, struct text *out);

#endif
