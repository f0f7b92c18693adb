/*
 * operation - the table of everything a URL can ask of an image.
 *
 * Each row says what an operation is called, what its argument looks like,
 * its range and default, what it costs, and in one line what it does.  The
 * parser, the canonical text, the error messages and docs/urls.md all come
 * from this table (operation.c), so they cannot disagree.  A new operation is
 * a field in struct recipe, a row here, and a step in image/.
 */
#ifndef RECIPE_OPERATION_H
#define RECIPE_OPERATION_H

#include "base/failure.h"
#include "base/text.h"
#include "recipe/recipe.h"

struct operation {
	const char *name;
	const char *argument;		/* grammar, for people: "1..8192" */
	const char *fallback;		/* what holds when it is absent, for people */
	const char *help;		/* one sentence */
	/* Reads the argument into the recipe; FAIL_BAD_REQUEST names the
	 * operation and its grammar. */
	bool (*parse)(const struct operation *operation, struct span argument,
	    struct recipe *recipe, struct failure *why);
	/* Adds the argument in canonical form, or nothing when it is the default. */
	void (*print)(const struct operation *operation, const struct recipe *recipe,
	    struct text *out);
};

/* In canonical order.  The set of operations in a recipe is a bit mask of
 * indexes into this table. */
extern const struct operation operations[];
extern const unsigned operation_count;

/* Its index, or -1. */
int operation_find(struct span name);

/* The table as Markdown, for docs/urls.md. */
void operation_print_table(struct text *out);

#endif
