/*
 * geometry - from a recipe and the size of an original to exact pixels.
 *
 * The same on every machine: used by the renderer to make the picture and by the
 * responder to know its size without making it.  All of it is whole-number
 * arithmetic but what a free rotation does to boxes and points.  The rules, with
 * the rounding, are written in docs/urls.md ("Sizes, exactly"), modelled in
 * tests/unit/model_geometry.py and tested by its table:
 *
 *  1. The source is upright (EXIF orientation applied, unless orient=off), and
 *     trimmed.
 *  2. crop cuts a rectangle of that: edges rounded half up, clipped to the image;
 *     what is left must have at least one pixel.
 *  3. rot turns it clockwise; by other angles than quarters the source becomes the
 *     box around the turned picture.  flip mirrors what rot gave.  From here on
 *     width, height and sides mean the turned picture.
 *  4. zoom keeps one part in zoom of each side, rounded half up, at least 1, where
 *     gravity says.  That is the source from here on.
 *  5. w and h (or fractions of the source, then at least 1), mw and mh are multiplied
 *     by dpr and rounded half up.  dpr alone does nothing.  ar gives the side that was
 *     not asked from the other one, so multiplied, rounded half up, at least 1; alone
 *     a box in its shape, the largest within the source for cover and fill, else the
 *     smallest around it.
 *  6. A side that was not asked follows from the other by the source's ratio,
 *     rounded half up, at least 1; fit then says nothing, there is no box.
 *  7. Without enlarge=1 no side of a raster image grows; a vector does.  contain,
 *     outside: the scale is at most 1.  cover: a box larger than the source shrinks,
 *     keeping its shape, until it fits.  fill: each side is at most the source's.
 *     pad: the canvas is exactly w x h, the image on it is not enlarged.
 *  8. The side that decides the scale is exact (contain, cover, pad, outside),
 *     the other rounded half up, at least 1.
 *  9. mw and mh raise the scale of contain, and where there is no box, until the
 *     image is so wide and so high (not above 1 without enlarge); what is then over a
 *     side that was asked is cut off.  The other fits ignore them.
 * 10. gravity places the cut (cover, mw, mh, zoom) or the image (pad): at a side, in
 *     the middle rounded down, each moved by the offsets, or so that the point comes
 *     as near to the middle of the result as the image, or the canvas, allows.
 *     Offsets are rounded half away from zero; those of zoom in pixels of the
 *     turned picture, of which one of the result may be several.
 * 11. border adds its width to all four sides.
 */
#ifndef RECIPE_GEOMETRY_H
#define RECIPE_GEOMETRY_H

#include "base/failure.h"
#include "http/media.h"
#include "recipe/recipe.h"

/* Of all that there is on the way to the result: VIPS_MAX_COORD. */
enum { GEOMETRY_SIDE_MAX = 10000000 };

struct rectangle {
	unsigned x, y, width, height;
};

/* What the plan starts from. */
struct geometry_source {
	unsigned width, height;		/* of one frame, the way up that the recipe wants it */
	struct rectangle visible;	/* what trim left of that; all of it when it was not asked */
	bool is_vector;			/* SVG: has no pixels of its own, so growing costs nothing */
};

/* From the size as stored in the file.  Swaps the sides for EXIF orientations
 * 5 to 8, unless the recipe says orient=off. */
void geometry_source_init(struct geometry_source *source, const struct recipe *recipe, unsigned width,
    unsigned height, unsigned orientation, enum media media);

struct geometry {
	struct rectangle source;	/* what is used of the upright original, narrowed by zoom unless
					 * rot is no quarter: then `cut` takes the part out */
	unsigned turned_width, turned_height;	/* `source` after rot: box around it */
	unsigned scaled_width, scaled_height;	/* the turned source is resized to this ... */
	struct rectangle cut;		/* ... of this, a part is kept (cover, mw, mh) ... */
	unsigned canvas_width, canvas_height;	/* ... on a canvas of this ... */
	unsigned left, top;		/* ... on which the part lies here (pad) ... */
	unsigned border;		/* ... with so many pixels around: */
	unsigned width, height;		/* the result's size */
	bool shows_all;			/* nothing of the original was cut off */
};

/* The recipe's gravity must have been resolved to a side, the centre or a point
 * (smart and entropy are planned as the centre, and sizes do not depend on it),
 * and it is not "original".  FAIL_BAD_REQUEST when crop lies outside the image,
 * FAIL_UNPROCESSABLE when a side of the result is over RECIPE_RESULT_SIDE_MAX, or
 * one of the original, of what rot makes of it, of the box that is asked, or of what
 * would be cut over GEOMETRY_SIDE_MAX. */
bool geometry_plan(const struct recipe *recipe, const struct geometry_source *source,
    struct geometry *geometry, struct failure *why) __attribute__((warn_unused_result));

/* A length of the recipe in pixels of the result: times dpr, rounded half up. */
unsigned geometry_length(const struct recipe *recipe, unsigned length);

#endif
