#include "recipe/turning.h"

#include "base/check.h"

#include <math.h>

static double
radians(const struct recipe *recipe)
{
	return recipe->rotation * M_PI / 180;
}

/* Clockwise, 0 to 3. */
static unsigned
quarters(const struct recipe *recipe)
{
	return (unsigned)(recipe->rotation / 90);
}

bool
turning_is_by_quarters(const struct recipe *recipe)
{
	return recipe->rotation == 90 * quarters(recipe);
}

static bool
flips_across(const struct recipe *recipe)
{
	return recipe->flip == FLIP_ACROSS || recipe->flip == FLIP_BOTH;
}

static bool
flips_down(const struct recipe *recipe)
{
	return recipe->flip == FLIP_DOWN || recipe->flip == FLIP_BOTH;
}

struct size
turning_box(const struct recipe *recipe, struct size upright)
{
	double across = fabs(cos(radians(recipe))), down = fabs(sin(radians(recipe)));
	double width = (double)upright.width, height = (double)upright.height;

	if (turning_is_by_quarters(recipe))
		return quarters(recipe) % 2 == 0 ? upright : (struct size){ upright.height, upright.width };
	/* Never 0: |cos| + |sin| is at least 1.  Never a tie: these sums are irrational
	 * for every angle of whole hundredths but the quarters, so the last bit of a
	 * cosine does not matter. */
	return (struct size){
		(uint64_t)floor(width * across + height * down + 0.5),
		(uint64_t)floor(width * down + height * across + 0.5),
	};
}

/* ---- points ---------------------------------------------------------------------- */

static struct point
turn_by_quarters(const struct recipe *recipe, struct size upright, struct point point)
{
	int64_t width = (int64_t)upright.width * FRACTION_PARTS;
	int64_t height = (int64_t)upright.height * FRACTION_PARTS;

	switch (quarters(recipe)) {
	case 1:
		return (struct point){ height - point.y, point.x };
	case 2:
		return (struct point){ width - point.x, height - point.y };
	case 3:
		return (struct point){ point.y, width - point.x };
	default:
		return point;
	}
}

/* About the centre; the result is rounded half up to a millionth of a pixel. */
static struct point
turn_freely(const struct recipe *recipe, struct size upright, struct size turned, struct point point)
{
	double cosine = cos(radians(recipe)), sine = sin(radians(recipe));
	double x = (double)point.x - (double)upright.width * FRACTION_PARTS / 2;
	double y = (double)point.y - (double)upright.height * FRACTION_PARTS / 2;

	return (struct point){
		(int64_t)floor(x * cosine - y * sine + (double)turned.width * FRACTION_PARTS / 2 + 0.5),
		(int64_t)floor(x * sine + y * cosine + (double)turned.height * FRACTION_PARTS / 2 + 0.5),
	};
}

struct point
turning_point(const struct recipe *recipe, struct size upright, struct size turned, struct point point)
{
	point = turning_is_by_quarters(recipe) ? turn_by_quarters(recipe, upright, point) :
	    turn_freely(recipe, upright, turned, point);
	if (flips_across(recipe))
		point.x = (int64_t)turned.width * FRACTION_PARTS - point.x;
	if (flips_down(recipe))
		point.y = (int64_t)turned.height * FRACTION_PARTS - point.y;
	return point;
}

/* ---- rectangles ------------------------------------------------------------------ */

struct rectangle
turning_undo(const struct recipe *recipe, struct size turned, struct rectangle part)
{
	unsigned from_right = (unsigned)turned.width - part.x - part.width;
	unsigned from_bottom = (unsigned)turned.height - part.y - part.height;
	unsigned left = flips_across(recipe) ? from_right : part.x;
	unsigned right = flips_across(recipe) ? part.x : from_right;
	unsigned top = flips_down(recipe) ? from_bottom : part.y;
	unsigned bottom = flips_down(recipe) ? part.y : from_bottom;

	CHECK(turning_is_by_quarters(recipe));
	switch (quarters(recipe)) {
	case 1:
		return (struct rectangle){ top, right, part.height, part.width };
	case 2:
		return (struct rectangle){ right, bottom, part.width, part.height };
	case 3:
		return (struct rectangle){ bottom, left, part.height, part.width };
	default:
		return (struct rectangle){ left, top, part.width, part.height };
	}
}
