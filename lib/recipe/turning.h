/*
 * turning - what rot and flip do to sizes, points and rectangles.  Private to recipe/.
 *
 * By quarters all of it is exact.  By other angles a picture becomes the box
 * around it, about the same centre, and a rectangle of that box is none of the
 * picture any more, so only whole boxes can be used then.
 */
#ifndef RECIPE_TURNING_H
#define RECIPE_TURNING_H

#include "recipe/geometry.h"
#include "recipe/recipe.h"
#include "recipe/size.h"

/* A place on a picture, in millionths of a pixel (FRACTION_PARTS) from its left
 * top corner; it may lie outside. */
struct point {
	int64_t x, y;
};

bool turning_is_by_quarters(const struct recipe *recipe);

/* The size after turning; by a free angle each side is rounded half up. */
struct size turning_box(const struct recipe *recipe, struct size upright);

/* Where a point of the upright picture comes to lie.  `turned` is turning_box(). */
struct point turning_point(const struct recipe *recipe, struct size upright, struct size turned, struct point point);

/* Which part of the upright picture became this part of the turned one: by
 * quarters only. */
struct rectangle turning_undo(const struct recipe *recipe, struct size turned, struct rectangle part);

#endif
