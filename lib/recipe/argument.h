/*
 * argument - reading and printing the plain kinds of operation arguments.
 *
 * Each pair is meant for a row of the table in operation.c and works on the
 * field that the row names.  The field's type is part of the pair's name:
 *
 *	number		unsigned, from min to max
 *	decimal		double, from min to max with so many decimals
 *	word		an enum whose values count the words from 0
 *	switch		bool, written 0 or 1
 *	colour		struct recipe_colour, and the bool of `presence`
 */
#ifndef RECIPE_ARGUMENT_H
#define RECIPE_ARGUMENT_H

#include "recipe/operation.h"

bool argument_parse_number(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why);
void argument_print_number(const struct operation *operation, const struct recipe *recipe,
    struct text *out);

bool argument_parse_decimal(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why);
void argument_print_decimal(const struct operation *operation, const struct recipe *recipe,
    struct text *out);

bool argument_parse_word(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why);
void argument_print_word(const struct operation *operation, const struct recipe *recipe,
    struct text *out);

bool argument_parse_switch(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why);
void argument_print_switch(const struct operation *operation, const struct recipe *recipe,
    struct text *out);

bool argument_parse_colour(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why);
void argument_print_colour(const struct operation *operation, const struct recipe *recipe,
    struct text *out);

/* Fails with the operation's name and grammar and what was given instead. */
bool argument_refuse(const struct operation *operation, struct span argument, struct failure *why);

/* A decimal with at most so many digits after the point. */
bool argument_to_decimal(struct span text, double min, double max, unsigned decimals, double *value);

/* Puts the operation's default into its field. */
void argument_set_initial(const struct operation *operation, struct recipe *recipe);

#endif
