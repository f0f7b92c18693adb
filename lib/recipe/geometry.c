#include "recipe/geometry.h"

#include "base/check.h"

#include <inttypes.h>
#include <math.h>

/* Fractions come from a text with at most six decimals, dpr with three, so both
 * are whole numbers of these parts and nothing below is ever inexact. */
enum { FRACTION_PARTS = 1000000, DPR_PARTS = 1000 };

/*
 * No product overflows 64 bits: sides are below 2^24 (GEOMETRY_SIDE_MAX), a box
 * is at most 2^16 (RECIPE_SIDE_MAX * 8), a fraction below 2^21, and a size that
 * follows from two others below 2^40 before it is checked.
 */
struct size {
	uint64_t width, height;
};

static uint64_t
divide_half_up(uint64_t dividend, uint64_t divisor)
{
	return (2 * dividend + divisor) / (2 * divisor);
}

static uint64_t
at_least_one(uint64_t value)
{
	return value > 0 ? value : 1;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- rule 2: crop ---------------------------------------------------------------- */

/* Where an edge of the crop lies, in pixels, before it is clipped. */
static uint64_t
edge_of(double position, bool is_fraction, uint64_t side)
{
	if (!is_fraction)
		return (uint64_t)position;
	return divide_half_up((uint64_t)llround(position * FRACTION_PARTS) * side, FRACTION_PARTS);
}

/* The far edge is rounded by itself, so that neighbouring crops meet. */
static uint64_t
far_edge_of(double position, double length, bool is_fraction, uint64_t side)
{
	uint64_t parts;

	if (!is_fraction)
		return (uint64_t)position + (uint64_t)length;
	parts = (uint64_t)(llround(position * FRACTION_PARTS) + llround(length * FRACTION_PARTS));
	return divide_half_up(parts * side, FRACTION_PARTS);
}

static bool
plan_crop(const struct recipe_crop *crop, unsigned width, unsigned height, struct rectangle *source,
    struct failure *why)
{
	uint64_t left, top, right, bottom;

	*source = (struct rectangle){ 0, 0, width, height };
	if (!crop->is_set)
		return true;
	left = smaller(edge_of(crop->x, crop->is_fraction, width), width);
	top = smaller(edge_of(crop->y, crop->is_fraction, height), height);
	right = smaller(far_edge_of(crop->x, crop->width, crop->is_fraction, width), width);
	bottom = smaller(far_edge_of(crop->y, crop->height, crop->is_fraction, height), height);
	if (left >= right || top >= bottom)
		return fail(why, FAIL_BAD_REQUEST, "crop leaves nothing of an image of %ux%u", width, height);
	*source = (struct rectangle){ (unsigned)left, (unsigned)top, (unsigned)(right - left),
		(unsigned)(bottom - top) };
	return true;
}

/* ---- rules 3 to 6: sizes ---------------------------------------------------------- */

/* What was asked, in pixels of the result; 0 for a side that was not. */
static struct size
box_of(const struct recipe *recipe)
{
	uint64_t dpr_parts = (uint64_t)llround(recipe->dpr * DPR_PARTS);

	return (struct size){
		divide_half_up(recipe->width * dpr_parts, DPR_PARTS),
		divide_half_up(recipe->height * dpr_parts, DPR_PARTS),
	};
}

static struct size
with_width(struct size shape, uint64_t width)
{
	return (struct size){ width, at_least_one(divide_half_up(shape.height * width, shape.width)) };
}

static struct size
with_height(struct size shape, uint64_t height)
{
	return (struct size){ at_least_one(divide_half_up(shape.width * height, shape.height)), height };
}

/* Whether a box is wider, for its height, than the source. */
static bool
is_wider(struct size box, struct size source)
{
	return box.width * source.height > box.height * source.width;
}

static struct size
largest_within(struct size source, struct size box)
{
	return is_wider(box, source) ? with_height(source, box.height) : with_width(source, box.width);
}

static struct size
smallest_around(struct size source, struct size box)
{
	return is_wider(box, source) ? with_width(source, box.width) : with_height(source, box.height);
}

static bool
is_larger(struct size size, struct size than)
{
	return size.width > than.width || size.height > than.height;
}

static struct size
unless_larger(struct size scaled, struct size source, bool may_enlarge)
{
	return !may_enlarge && is_larger(scaled, source) ? source : scaled;
}

/* The size the whole source is given when only one side was asked, or none. */
static struct size
scale_without_box(struct size source, struct size asked, bool may_enlarge)
{
	if (asked.width > 0)
		return unless_larger(with_width(source, asked.width), source, may_enlarge);
	if (asked.height > 0)
		return unless_larger(with_height(source, asked.height), source, may_enlarge);
	return source;
}

static struct size
scale_into_box(enum recipe_fit fit, struct size source, struct size box, bool may_enlarge)
{
	switch (fit) {
	case FIT_FILL:
		if (may_enlarge)
			return box;
		return (struct size){ smaller(box.width, source.width), smaller(box.height, source.height) };
	case FIT_COVER:
		return smallest_around(source, box);
	case FIT_OUTSIDE:
		return unless_larger(smallest_around(source, box), source, may_enlarge);
	default:
		return unless_larger(largest_within(source, box), source, may_enlarge);
	}
}

/* ---- rule 7: gravity ------------------------------------------------------------- */

/* One axis of the image: where the source lies in it, and how long it is after
 * scaling; and the fraction of the image that the point stands at. */
struct axis {
	uint64_t image, source_start, source_length, scaled;
	uint64_t point_parts;
};

/*
 * Where a window lies on the scaled source so that the point is in its middle:
 * the point less half the window, rounded half up, before it is clipped.  The
 * numerator needs more than 64 bits: a fraction times two sides, twice, is 2^69.
 */
static int64_t
start_around_point(const struct axis *axis, uint64_t window)
{
	__int128 denominator = (__int128)2 * FRACTION_PARTS * axis->source_length;
	__int128 from_source = (__int128)axis->point_parts * axis->image -
	    (__int128)FRACTION_PARTS * axis->source_start;
	__int128 numerator = 2 * from_source * axis->scaled +
	    (1 - (__int128)window) * FRACTION_PARTS * axis->source_length;
	__int128 start = numerator / denominator;

	return (int64_t)(numerator % denominator < 0 ? start - 1 : start);
}

static uint64_t
clip(int64_t start, uint64_t room)
{
	return start <= 0 ? 0 : smaller((uint64_t)start, room);
}

/* -1: at the beginning (north, west); 0: in the middle; 1: at the end. */
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
at_side(int side, uint64_t room)
{
	return side < 0 ? 0 : side > 0 ? room : room / 2;
}

/* The window's start on a longer image (cover), or the image's on a longer
 * canvas (pad): the same question, asked from the other side. */
static unsigned
place(enum recipe_gravity gravity, int side, const struct axis *axis, uint64_t window)
{
	bool is_cut = axis->scaled > window;
	uint64_t room = is_cut ? axis->scaled - window : window - axis->scaled;
	int64_t start;

	if (gravity != GRAVITY_POINT)
		return (unsigned)at_side(side, room);
	start = start_around_point(axis, window);
	return (unsigned)clip(is_cut ? start : -start, room);
}

static void
place_on_result(const struct recipe *recipe, struct size image, struct geometry *geometry)
{
	const struct axis across = { image.width, geometry->source.x, geometry->source.width,
		geometry->scaled_width, (uint64_t)llround(recipe->gravity_x * FRACTION_PARTS) };
	const struct axis down = { image.height, geometry->source.y, geometry->source.height,
		geometry->scaled_height, (uint64_t)llround(recipe->gravity_y * FRACTION_PARTS) };
	unsigned x = place(recipe->gravity, side_across(recipe->gravity), &across, geometry->width);
	unsigned y = place(recipe->gravity, side_down(recipe->gravity), &down, geometry->height);

	geometry->cut = (struct rectangle){ 0, 0, geometry->scaled_width, geometry->scaled_height };
	if (recipe->fit == FIT_COVER) {
		geometry->cut = (struct rectangle){ x, y, geometry->width, geometry->height };
	} else {
		geometry->left = x;
		geometry->top = y;
	}
}

/* ---- the plan -------------------------------------------------------------------- */

static bool
check_sizes(struct size scaled, struct size result, struct failure *why)
{
	if (result.width > RECIPE_RESULT_SIDE_MAX || result.height > RECIPE_RESULT_SIDE_MAX)
		return fail(why, FAIL_UNPROCESSABLE,
		    "the result would have %" PRIu64 "x%" PRIu64 " pixels, limit %d a side", result.width,
		    result.height, RECIPE_RESULT_SIDE_MAX);
	if (scaled.width > GEOMETRY_SIDE_MAX || scaled.height > GEOMETRY_SIDE_MAX)
		return fail(why, FAIL_UNPROCESSABLE,
		    "scaled to %" PRIu64 "x%" PRIu64 " pixels before it is cut, limit %d a side",
		    scaled.width, scaled.height, GEOMETRY_SIDE_MAX);
	return true;
}

void
geometry_source_init(struct geometry_source *source, const struct recipe *recipe, unsigned width,
    unsigned height, unsigned orientation, enum media media)
{
	bool is_turned = orientation >= 5 && recipe->orient == ORIENT_AUTO;

	source->width = is_turned ? height : width;
	source->height = is_turned ? width : height;
	source->visible = (struct rectangle){ 0, 0, source->width, source->height };
	source->is_vector = media == MEDIA_SVG;
}

unsigned
geometry_length(const struct recipe *recipe, unsigned length)
{
	return (unsigned)divide_half_up((uint64_t)length * (uint64_t)llround(recipe->dpr * DPR_PARTS), DPR_PARTS);
}

bool
geometry_plan(const struct recipe *recipe, const struct geometry_source *from, struct geometry *geometry,
    struct failure *why)
{
	unsigned width = from->width, height = from->height;
	struct size source, scaled, result, asked = box_of(recipe);

	CHECK(width >= 1 && height >= 1 && !recipe->is_original);
	CHECK(recipe->gravity != GRAVITY_FOCUS);
	if (width > GEOMETRY_SIDE_MAX || height > GEOMETRY_SIDE_MAX)
		return fail(why, FAIL_UNPROCESSABLE, "the original has %ux%u pixels, limit %d a side", width,
		    height, GEOMETRY_SIDE_MAX);
	*geometry = (struct geometry){ 0 };
	if (!plan_crop(&recipe->crop, width, height, &geometry->source, why))
		return false;
	source = (struct size){ geometry->source.width, geometry->source.height };

	if (asked.width == 0 || asked.height == 0) {
		scaled = result = scale_without_box(source, asked, recipe->may_enlarge);
	} else {
		if (recipe->fit == FIT_COVER && !recipe->may_enlarge && is_larger(asked, source))
			asked = largest_within(asked, source);
		scaled = scale_into_box(recipe->fit, source, asked, recipe->may_enlarge);
		result = recipe->fit == FIT_COVER || recipe->fit == FIT_PAD ? asked : scaled;
	}
	if (!check_sizes(scaled, result, why))
		return false;
	geometry->scaled_width = (unsigned)scaled.width;
	geometry->scaled_height = (unsigned)scaled.height;
	geometry->turned_width = geometry->source.width;
	geometry->turned_height = geometry->source.height;
	geometry->width = geometry->canvas_width = (unsigned)result.width;
	geometry->height = geometry->canvas_height = (unsigned)result.height;
	place_on_result(recipe, (struct size){ width, height }, geometry);
	return true;
}
