#include "recipe/geometry.h"

#include "base/check.h"
#include "recipe/gravity.h"
#include "recipe/size.h"
#include "recipe/turning.h"

#include <inttypes.h>

/*
 * Why nothing overflows: every side is compared with GEOMETRY_SIDE_MAX (below
 * 2^24) before it is multiplied with another.  The largest products before that
 * are a fraction times a side times dpr, 2^20 * 2^24 * 2^13, and what ar makes of
 * the result, 2^27 * 2^24.
 */

/* The sizes on the way. */
struct plan {
	struct rectangle source;	/* what trim and crop leave of the upright original */
	struct size turned;		/* the box around that after rot */
	struct size zoomed;		/* what zoom keeps of it: this is what w and h are about */
	struct size scaled;		/* what the zoomed part is scaled to */
	struct size canvas;		/* what cuts it, or what it lies on */
};

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool
is_within_limit(struct size size)
{
	return size.width <= GEOMETRY_SIDE_MAX && size.height <= GEOMETRY_SIDE_MAX;
}

/* ---- rules 1 and 2: what is left of the original ----------------------------------- */

/* Where an edge of the crop lies, in pixels, before it is clipped. */
static uint64_t
edge_of(double position, bool is_fraction, uint64_t side)
{
	if (!is_fraction)
		return (uint64_t)position;
	return divide_half_up(parts_of(position, FRACTION_PARTS) * side, FRACTION_PARTS);
}

/* The far edge is rounded by itself, so that neighbouring crops meet. */
static uint64_t
far_edge_of(double position, double length, bool is_fraction, uint64_t side)
{
	if (!is_fraction)
		return (uint64_t)position + (uint64_t)length;
	return divide_half_up((parts_of(position, FRACTION_PARTS) + parts_of(length, FRACTION_PARTS)) * side,
	    FRACTION_PARTS);
}

static bool
plan_crop(const struct recipe_crop *crop, struct rectangle visible, struct rectangle *source, struct failure *why)
{
	uint64_t left, top, right, bottom;

	*source = visible;
	if (!crop->is_set)
		return true;
	left = smaller(edge_of(crop->x, crop->is_fraction, visible.width), visible.width);
	top = smaller(edge_of(crop->y, crop->is_fraction, visible.height), visible.height);
	right = smaller(far_edge_of(crop->x, crop->width, crop->is_fraction, visible.width), visible.width);
	bottom = smaller(far_edge_of(crop->y, crop->height, crop->is_fraction, visible.height), visible.height);
	if (left >= right || top >= bottom)
		return fail(why, FAIL_BAD_REQUEST, "crop leaves nothing of an image of %ux%u", visible.width,
		    visible.height);
	*source = (struct rectangle){ visible.x + (unsigned)left, visible.y + (unsigned)top,
		(unsigned)(right - left), (unsigned)(bottom - top) };
	return true;
}

/* ---- rules 3 and 4: turned and zoomed ---------------------------------------------- */

static bool
plan_turning(const struct recipe *recipe, struct plan *plan, struct failure *why)
{
	plan->turned = turning_box(recipe, (struct size){ plan->source.width, plan->source.height });
	if (is_within_limit(plan->turned))
		return true;
	return fail(why, FAIL_UNPROCESSABLE, "rot makes it %" PRIu64 "x%" PRIu64 " pixels, limit %d a side",
	    plan->turned.width, plan->turned.height, GEOMETRY_SIDE_MAX);
}

static uint64_t
zoomed_side(const struct recipe *recipe, uint64_t side)
{
	return at_least_one(divide_half_up(side * ZOOM_PARTS, parts_of(recipe->zoom, ZOOM_PARTS)));
}

static void
plan_zoom(const struct recipe *recipe, struct plan *plan)
{
	plan->zoomed = (struct size){
		zoomed_side(recipe, plan->turned.width),
		zoomed_side(recipe, plan->turned.height),
	};
}

/* ---- rules 5 to 9: sizes ----------------------------------------------------------- */

static bool
has_both(struct size box)
{
	return box.width > 0 && box.height > 0;
}

static bool
has_any(struct size box)
{
	return box.width > 0 || box.height > 0;
}

/* In pixels of the result; 0 when it was not asked. */
static uint64_t
asked_side(const struct recipe *recipe, unsigned pixels, double fraction, uint64_t source)
{
	uint64_t dpr = parts_of(recipe->dpr, DPR_PARTS);

	if (fraction > 0)
		return at_least_one(divide_half_up(parts_of(fraction, FRACTION_PARTS) * source * dpr,
		    (uint64_t)FRACTION_PARTS * DPR_PARTS));
	return divide_half_up(pixels * dpr, DPR_PARTS);
}

/* The sides that ar adds.  Alone it asks for the source's own scale. */
static struct size
with_ratio(const struct recipe *recipe, struct size asked, struct size source)
{
	struct size ratio = { recipe->ratio.width, recipe->ratio.height };

	if (!has_both(ratio) || has_both(asked))
		return asked;
	if (asked.width > 0)
		return size_with_width(ratio, asked.width);
	if (asked.height > 0)
		return size_with_height(ratio, asked.height);
	if (recipe->fit == FIT_COVER || recipe->fit == FIT_FILL)
		return size_within(ratio, source);
	return size_around(ratio, source);
}

static bool
plan_box(const struct recipe *recipe, struct size source, struct size *box, struct failure *why)
{
	const struct size asked = {
		asked_side(recipe, recipe->width, recipe->width_fraction, source.width),
		asked_side(recipe, recipe->height, recipe->height_fraction, source.height),
	};

	*box = with_ratio(recipe, asked, source);
	if (is_within_limit(*box))
		return true;
	return fail(why, FAIL_UNPROCESSABLE,
	    "w, h and ar make a box of %" PRIu64 "x%" PRIu64 " pixels, limit %d a side", box->width, box->height,
	    GEOMETRY_SIDE_MAX);
}

/* Within the box, or to the one side that was asked; but as large as mw and mh want it. */
static struct size
scale_to_contain(const struct recipe *recipe, struct size source, struct size box)
{
	const struct size minimum = {
		geometry_length(recipe, recipe->min_width),
		geometry_length(recipe, recipe->min_height),
	};
	struct size scaled = source;

	if (has_both(box))
		scaled = size_within(source, box);
	else if (has_any(box))
		scaled = size_around(source, box);
	if (has_any(minimum))
		scaled = size_larger(scaled, size_around(source, minimum));
	return scaled;
}

/* What cuts the scaled picture, or what it lies on. */
static struct size
canvas_for(enum recipe_fit fit, struct size scaled, struct size box)
{
	if (fit == FIT_COVER || fit == FIT_PAD)
		return box;
	if (fit == FIT_CONTAIN && box.width > 0)
		scaled.width = smaller(scaled.width, box.width);
	if (fit == FIT_CONTAIN && box.height > 0)
		scaled.height = smaller(scaled.height, box.height);
	return scaled;
}

static void
plan_sizes(const struct recipe *recipe, bool may_enlarge, struct size box, struct plan *plan)
{
	enum recipe_fit fit = has_both(box) ? recipe->fit : FIT_CONTAIN;
	struct size source = plan->zoomed;

	if (fit == FIT_COVER && !may_enlarge && (box.width > source.width || box.height > source.height))
		box = size_within(box, source);
	switch (fit) {
	case FIT_COVER:
	case FIT_OUTSIDE:
		plan->scaled = size_around(source, box);
		break;
	case FIT_FILL:
		plan->scaled = box;
		break;
	case FIT_PAD:
		plan->scaled = size_within(source, box);
		break;
	default:
		plan->scaled = scale_to_contain(recipe, source, box);
		break;
	}
	if (!may_enlarge)
		plan->scaled = size_smaller(plan->scaled, source);
	plan->canvas = canvas_for(fit, plan->scaled, box);
}

static bool
check_result(struct size canvas, unsigned border, struct failure *why)
{
	uint64_t width = canvas.width + 2 * border, height = canvas.height + 2 * border;

	if (width <= RECIPE_RESULT_SIDE_MAX && height <= RECIPE_RESULT_SIDE_MAX)
		return true;
	return fail(why, FAIL_UNPROCESSABLE, "the result would have %" PRIu64 "x%" PRIu64 " pixels, limit %d a side",
	    width, height, RECIPE_RESULT_SIDE_MAX);
}

static bool
check_scaled(struct size scaled, struct failure *why)
{
	if (is_within_limit(scaled))
		return true;
	return fail(why, FAIL_UNPROCESSABLE,
	    "scaled to %" PRIu64 "x%" PRIu64 " pixels before it is cut, limit %d a side", scaled.width,
	    scaled.height, GEOMETRY_SIDE_MAX);
}

/* ---- rule 10: where all this lies --------------------------------------------------- */

/* The recipe's point on the turned source. */
static struct point
point_on_turned(const struct recipe *recipe, const struct geometry_source *from, const struct plan *plan)
{
	struct point point = {
		(int64_t)(parts_of(recipe->gravity_x, FRACTION_PARTS) * from->width) -
		    (int64_t)plan->source.x * FRACTION_PARTS,
		(int64_t)(parts_of(recipe->gravity_y, FRACTION_PARTS) * from->height) -
		    (int64_t)plan->source.y * FRACTION_PARTS,
	};

	return turning_point(recipe, (struct size){ plan->source.width, plan->source.height }, plan->turned, point);
}

/* Which part of the turned source zoom keeps. */
static struct rectangle
place_zoom(const struct recipe *recipe, const struct plan *plan, struct point point)
{
	const struct placing placing = {
		.picture = plan->turned,
		.window = plan->zoomed,
		.shown = plan->scaled,
		.source = plan->turned,
		.point = point,
	};
	struct place at = gravity_place(recipe, &placing);

	return (struct rectangle){ at.x, at.y, (unsigned)plan->zoomed.width, (unsigned)plan->zoomed.height };
}

/* The cut of the scaled part, or its place on the canvas. */
static void
place_on_canvas(const struct recipe *recipe, const struct plan *plan, struct point point, struct geometry *geometry)
{
	const struct placing placing = {
		.picture = plan->scaled,
		.window = plan->canvas,
		.shown = plan->canvas,
		.source = plan->zoomed,
		.point = point,
	};
	struct size cut = size_smaller(plan->scaled, plan->canvas);
	struct place at = gravity_place(recipe, &placing);

	geometry->cut.width = (unsigned)cut.width;
	geometry->cut.height = (unsigned)cut.height;
	if (plan->scaled.width > plan->canvas.width)
		geometry->cut.x = at.x;
	else
		geometry->left = at.x;
	if (plan->scaled.height > plan->canvas.height)
		geometry->cut.y = at.y;
	else
		geometry->top = at.y;
}

/* Turned by quarters, the zoomed part is a rectangle of the original, and no
 * more of that needs to be decoded. */
static void
use_part(const struct recipe *recipe, const struct plan *plan, struct rectangle part, struct geometry *geometry)
{
	struct rectangle inner = turning_undo(recipe, plan->turned, part);

	geometry->source = (struct rectangle){ plan->source.x + inner.x, plan->source.y + inner.y, inner.width,
		inner.height };
	geometry->turned_width = part.width;
	geometry->turned_height = part.height;
	geometry->scaled_width = (unsigned)plan->scaled.width;
	geometry->scaled_height = (unsigned)plan->scaled.height;
}

/* Turned freely, it is not: everything is scaled as the part is, half up, and
 * the part cut out afterwards.  The cut cannot leave the image, because both
 * its edges are rounded alike. */
static bool
use_everything(const struct plan *plan, struct rectangle part, struct geometry *geometry, struct failure *why)
{
	const struct size scaled = plan->scaled, zoomed = plan->zoomed;
	const struct size whole = {
		divide_half_up(plan->turned.width * scaled.width, zoomed.width),
		divide_half_up(plan->turned.height * scaled.height, zoomed.height),
	};

	if (!check_scaled(whole, why))
		return false;
	geometry->source = plan->source;
	geometry->turned_width = (unsigned)plan->turned.width;
	geometry->turned_height = (unsigned)plan->turned.height;
	geometry->scaled_width = (unsigned)whole.width;
	geometry->scaled_height = (unsigned)whole.height;
	geometry->cut.x += (unsigned)divide_half_up(part.x * scaled.width, zoomed.width);
	geometry->cut.y += (unsigned)divide_half_up(part.y * scaled.height, zoomed.height);
	return true;
}

static bool
place(const struct recipe *recipe, const struct geometry_source *from, const struct plan *plan,
    struct geometry *geometry, struct failure *why)
{
	struct point point = point_on_turned(recipe, from, plan);
	struct rectangle part = place_zoom(recipe, plan, point);

	point.x -= (int64_t)part.x * FRACTION_PARTS;
	point.y -= (int64_t)part.y * FRACTION_PARTS;
	place_on_canvas(recipe, plan, point, geometry);
	if (!turning_is_by_quarters(recipe))
		return use_everything(plan, part, geometry, why);
	use_part(recipe, plan, part, geometry);
	return true;
}

/* ---- the plan -------------------------------------------------------------------- */

static bool
shows_all(const struct geometry_source *from, const struct plan *plan, const struct geometry *geometry)
{
	return plan->source.width == from->width && plan->source.height == from->height &&
	    plan->zoomed.width == plan->turned.width && plan->zoomed.height == plan->turned.height &&
	    geometry->cut.width == geometry->scaled_width && geometry->cut.height == geometry->scaled_height;
}

static bool
lies_within(const struct rectangle *part, unsigned width, unsigned height)
{
	return part->width >= 1 && part->width <= width && part->x <= width - part->width &&
	    part->height >= 1 && part->height <= height && part->y <= height - part->height;
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
	return (unsigned)divide_half_up(length * parts_of(recipe->dpr, DPR_PARTS), DPR_PARTS);
}

bool
geometry_plan(const struct recipe *recipe, const struct geometry_source *from, struct geometry *geometry,
    struct failure *why)
{
	bool may_enlarge = recipe->may_enlarge || from->is_vector;
	unsigned border = geometry_length(recipe, recipe->border);
	struct plan plan;
	struct size box;

	CHECK(lies_within(&from->visible, from->width, from->height));
	CHECK(!recipe->is_original && recipe->gravity != GRAVITY_FOCUS);
	if (!is_within_limit((struct size){ from->width, from->height }))
		return fail(why, FAIL_UNPROCESSABLE, "the original has %ux%u pixels, limit %d a side", from->width,
		    from->height, GEOMETRY_SIDE_MAX);
	if (!plan_crop(&recipe->crop, from->visible, &plan.source, why) || !plan_turning(recipe, &plan, why))
		return false;
	plan_zoom(recipe, &plan);
	if (!plan_box(recipe, plan.zoomed, &box, why))
		return false;
	plan_sizes(recipe, may_enlarge, box, &plan);
	if (!check_result(plan.canvas, border, why) || !check_scaled(plan.scaled, why))
		return false;

	*geometry = (struct geometry){
		.canvas_width = (unsigned)plan.canvas.width,
		.canvas_height = (unsigned)plan.canvas.height,
		.border = border,
		.width = (unsigned)plan.canvas.width + 2 * border,
		.height = (unsigned)plan.canvas.height + 2 * border,
	};
	if (!place(recipe, from, &plan, geometry, why))
		return false;
	geometry->shows_all = shows_all(from, &plan, geometry);
	return true;
}
