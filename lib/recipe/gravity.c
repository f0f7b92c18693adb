#include "recipe/gravity.h"

#include <math.h>

/* One axis of a placing. */
struct axis {
	uint64_t picture, window, shown, source;
	int64_t point;
	int side;	/* -1: at the beginning (north, west); 0: in the middle; 1: at the end */
	double offset;
};

static int
side_across(enum recipe_gravity gravity)
{
	switch (gravity) {
	case GRAVITY_NORTH_WEST:
	case GRAVITY_WEST:
	case GRAVITY_SOUTH_WEST:
		return -1;
	case GRAVITY_NORTH_EAST:
	case GRAVITY_EAST:
	case GRAVITY_SOUTH_EAST:
		return 1;
	default:
		return 0;
	}
}

static int
side_down(enum recipe_gravity gravity)
{
	switch (gravity) {
	case GRAVITY_NORTH_WEST:
	case GRAVITY_NORTH:
	case GRAVITY_NORTH_EAST:
		return -1;
	case GRAVITY_SOUTH_WEST:
	case GRAVITY_SOUTH:
	case GRAVITY_SOUTH_EAST:
		return 1;
	default:
		return 0;
	}
}

static uint64_t
room_of(const struct axis *axis)
{
	return axis->picture > axis->window ? axis->picture - axis->window : axis->window - axis->picture;
}

static unsigned
clip(int64_t start, uint64_t room)
{
	return start <= 0 ? 0 : (uint64_t)start < room ? (unsigned)start : (unsigned)room;
}

/* ---- a side ---------------------------------------------------------------------- */

/* The offset in pixels of the picture, half away from zero.  Its largest product
 * is 2^13 pixels times 2^13 parts of dpr times a side, 2^50. */
static int64_t
offset_in_pixels(const struct recipe *recipe, const struct axis *axis)
{
	double magnitude = fabs(axis->offset);
	uint64_t pixels;

	if (recipe->gravity_offset.is_fraction)
		pixels = divide_half_up(parts_of(magnitude, FRACTION_PARTS) * axis->window, FRACTION_PARTS);
	else
		pixels = divide_half_up(parts_of(magnitude, 1) * parts_of(recipe->dpr, DPR_PARTS) * axis->window,
		    DPR_PARTS * axis->shown);
	return axis->offset < 0 ? -(int64_t)pixels : (int64_t)pixels;
}

static unsigned
place_at_side(const struct recipe *recipe, const struct axis *axis)
{
	int64_t offset = offset_in_pixels(recipe, axis);
	uint64_t room = room_of(axis);

	if (axis->side < 0)
		return clip(offset, room);
	if (axis->side > 0)
		return clip((int64_t)room - offset, room);
	return clip((int64_t)(room / 2) + offset, room);
}

/* ---- a point --------------------------------------------------------------------- */

/*
 * Where the window begins so that the point is in its middle: the point less
 * half the window, half up, before it is clipped.  The numerator needs more than
 * 64 bits: a point, 2^45, times a side, twice.
 */
static int64_t
start_around_point(const struct axis *axis)
{
	__int128 denominator = (__int128)2 * FRACTION_PARTS * axis->source;
	__int128 numerator = (__int128)2 * axis->point * axis->picture +
	    (1 - (__int128)axis->window) * FRACTION_PARTS * axis->source;
	__int128 start = numerator / denominator;

	return (int64_t)(numerator % denominator < 0 ? start - 1 : start);
}

static unsigned
place_around_point(const struct axis *axis)
{
	int64_t start = start_around_point(axis);

	return clip(axis->picture > axis->window ? start : -start, room_of(axis));
}

/* ---------------------------------------------------------------------------------- */

static unsigned
place_on_axis(const struct recipe *recipe, const struct axis *axis)
{
	return recipe->gravity == GRAVITY_POINT ? place_around_point(axis) : place_at_side(recipe, axis);
}

struct place
gravity_place(const struct recipe *recipe, const struct placing *placing)
{
	const struct axis across = {
		placing->picture.width, placing->window.width, placing->shown.width, placing->source.width,
		placing->point.x, side_across(recipe->gravity), recipe->gravity_offset.x,
	};
	const struct axis down = {
		placing->picture.height, placing->window.height, placing->shown.height, placing->source.height,
		placing->point.y, side_down(recipe->gravity), recipe->gravity_offset.y,
	};

	return (struct place){ place_on_axis(recipe, &across), place_on_axis(recipe, &down) };
}
