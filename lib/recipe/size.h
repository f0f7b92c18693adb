/*
 * size - exact arithmetic on widths and heights.  Private to recipe/.
 *
 * "Half up" is floor(x + 1/2).  Nothing here can overflow as long as sides are
 * at most GEOMETRY_SIDE_MAX (below 2^24): the product of two is below 2^48, and a
 * side that follows from two others is below that too, until it is checked.
 */
#ifndef RECIPE_SIZE_H
#define RECIPE_SIZE_H

#include <stdint.h>

/* Decimals are whole numbers of these parts: fractions are kept to six digits
 * after the point, dpr and zoom to three. */
enum { FRACTION_PARTS = 1000000, DPR_PARTS = 1000, ZOOM_PARTS = 1000 };

struct size {
	uint64_t width, height;
};

uint64_t divide_half_up(uint64_t dividend, uint64_t divisor);
uint64_t at_least_one(uint64_t value);

/* The decimal as whole parts, exactly: it was read from a text with few digits. */
uint64_t parts_of(double decimal, unsigned parts);

/* A size of this shape with one side given; the other half up, at least 1. */
struct size size_with_width(struct size shape, uint64_t width);
struct size size_with_height(struct size shape, uint64_t height);

/* The largest of this shape within a box, and the smallest around it.  Of a box
 * with one side 0, the smallest around it is the shape with the other side. */
struct size size_within(struct size shape, struct size box);
struct size size_around(struct size shape, struct size box);

/* Each side by itself.  Of two sizes of one shape it is the smaller, the larger. */
struct size size_smaller(struct size a, struct size b);
struct size size_larger(struct size a, struct size b);

#endif
