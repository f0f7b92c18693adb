/*
 * geometry - from a recipe and the size of an original to exact pixels.
 *
 * Whole numbers only, so that it is the same on every machine: used by the
 * renderer to make the picture and by the responder to know its size without
 * making it.  The rules, with the rounding, are written in docs/urls.md ("Sizes,
 * exactly"), modelled in tests/unit/model_geometry.py and tested by its table:
 *
 *  1. The source is upright: EXIF orientation is applied first.
 *  2. crop cuts a rectangle: edges rounded half up, clipped to the image;
 *     what is left must have at least one pixel.
 *  3. w and h are multiplied by dpr and rounded half up.  dpr alone does nothing.
 *  4. A side that was not asked follows from the other by the source's ratio,
 *     rounded half up, at least 1; fit then says nothing, there is no box.
 *  5. Without enlarge=1 no side of the image grows.  contain, outside: the
 *     scale is at most 1.  cover: a box larger than the source shrinks, keeping
 *     its shape, until it fits.  fill: each side is at most the source's.  pad:
 *     the canvas is exactly w x h, the image on it is not enlarged.
 *  6. The side that decides the scale is exact (contain, cover, pad, outside),
 *     the other rounded half up, at least 1.
 *  7. gravity places the cut (cover) or the image (pad): at a side, in the
 *     middle rounded down, or so that the point comes as near to the middle of
 *     the result as the image, or the canvas, allows.
 */
#ifndef RECIPE_GEOMETRY_H
#define RECIPE_GEOMETRY_H

#include "base/failure.h"
#include "recipe/recipe.h"

/* Of the original, and of what is scaled before it is cut: VIPS_MAX_COORD. */
enum { GEOMETRY_SIDE_MAX = 10000000 };

struct rectangle {
	unsigned x, y, width, height;
};

struct geometry {
	struct rectangle source;	/* what is used of the upright original */
	unsigned scaled_width, scaled_height;	/* `source` is resized to this ... */
	struct rectangle cut;		/* ... of this, a part is kept (cover) ... */
	unsigned width, height;		/* ... on a canvas of this: the result's size */
	unsigned left, top;		/* where the part lies on the canvas (pad) */
};

/* width, height: the upright original, at least 1.  The recipe's gravity must
 * have been resolved, and it is not "original".  FAIL_BAD_REQUEST when crop lies outside the image,
 * FAIL_UNPROCESSABLE when a side of the result is over RECIPE_RESULT_SIDE_MAX, or
 * one of the original or of what would be cut over GEOMETRY_SIDE_MAX. */
bool geometry_plan(const struct recipe *recipe, unsigned width, unsigned height,
    struct geometry *geometry, struct failure *why) __attribute__((warn_unused_result));

#endif
