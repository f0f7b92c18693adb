/*
 * gravity - where a picture lies behind the window through which it is shown.
 * Private to recipe/.
 *
 * The window may be shorter than the picture, a cut, or longer, a canvas: the
 * same question, asked from the other side, on each axis by itself.
 */
#ifndef RECIPE_GRAVITY_H
#define RECIPE_GRAVITY_H

#include "recipe/recipe.h"
#include "recipe/size.h"
#include "recipe/turning.h"

struct placing {
	struct size picture;
	struct size window;	/* in the same pixels */
	struct size shown;	/* the window in pixels of the result, which offsets are given in */
	struct size source;	/* the picture before it was scaled, ... */
	struct point point;	/* ... and what GRAVITY_POINT means on it */
};

/* On each axis where the window begins on a longer picture, or the picture on
 * a longer window. */
struct place {
	unsigned x, y;
};

struct place gravity_place(const struct recipe *recipe, const struct placing *placing);

#endif
