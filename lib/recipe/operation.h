/*
 * operation - the table of everything a URL can ask of an image.
 *
 * Each row says what an operation is called, what its argument looks like,
 * its range and default, and in one line what it does.  The parser, the
 * canonical text, the error messages and docs/urls.md all come from this table
 * (operation.c), so they cannot disagree.
 *
 * A new operation is a field in struct recipe, a row in the table, and a step in
 * image/.  Arguments are read and printed by argument.c: the plain kinds (number,
 * word, switch, colour, ...) from the columns below; a kind of its own has two
 * functions there.
 */
#ifndef RECIPE_OPERATION_H
#define RECIPE_OPERATION_H

#include "base/failure.h"
#include "base/text.h"
#include "recipe/recipe.h"

enum { OPERATION_MAX = 64 };	/* struct recipe keeps them in 64 bits */

/* What it adds to the work of a renderer, beside decoding and encoding. */
enum operation_cost {
	COST_NONE = 0,		/* nothing, or less work than without it */
	COST_RESULT,		/* a step for each pixel of the result */
	COST_ORIGINAL,		/* a step for each pixel of the original */
	COST_ENCODINGS,		/* the result is encoded several times */
	COST_COUNT
};

struct operation {
	const char *name;
	const char *argument;		/* grammar, for people: "1..8192" */
	const char *fallback;		/* what holds when it is absent, for people */
	enum operation_cost cost;
	const char *help;		/* one sentence */
	/* Reads the argument into the recipe; FAIL_BAD_REQUEST names the
	 * operation and its grammar. */
	bool (*parse)(const struct operation *operation, struct span argument,
	    struct recipe *recipe, struct failure *why);
	/* Adds the argument in canonical form, or nothing when it is the default. */
	void (*print)(const struct operation *operation, const struct recipe *recipe,
	    struct text *out);

	/* What argument.c needs to know of the plain kinds. */
	size_t field;			/* offsetof in struct recipe */
	size_t second;			/* colours: offsetof the bool that says it was given;
					 * sides: of the fraction */
	double min, max;		/* numbers */
	double initial;			/* the default: recipe_init() sets it, print leaves it out */
	unsigned decimals;		/* numbers: digits after the point that may be written, at most 6 */
	const char *const *words;	/* words: the text of each value; NULL: cannot be written */
	unsigned word_count;
};

/* In canonical order.  The set of operations in a recipe is a bit mask of
 * indexes into this table. */
extern const struct operation operations[];
extern const unsigned operation_count;

/* Its index, or -1. */
int operation_find(struct span name);

/* The bit of an operation that exists; another name is a bug. */
uint64_t operation_bit(const char *name);

/* The table as Markdown, for docs/urls.md. */
void operation_print_table(struct text *out);

#endif
