/*
 * find - what only the pixels know: where the margins end, what draws the eye.
 *
 * Both read the file once more before the picture is made.
 */
#include "image/pipeline.h"

#include <math.h>

/* ---- trim ---------------------------------------------------------------------------------- */

enum { ROWS_AT_ONCE = 16, PIXEL_BYTES_MAX = 4 };

/* Red, green and blue as far as they are seen (weighted by alpha), then alpha. */
struct look {
	int channels[4];
};

static int
weigh(int colour, int alpha)
{
	return (2 * colour * alpha + 255) / 510;
}

static struct look
look_of(const uint8_t *pixel, int bands)
{
	int alpha = bands == 4 ? pixel[3] : 255;

	return (struct look){ { weigh(pixel[0], alpha), weigh(pixel[1], alpha), weigh(pixel[2], alpha), alpha } };
}

/* What is looked for, and what was found so far; columns and rows of one frame
 * as it is stored.  `right` and `bottom` are one further. */
struct search {
	struct look margin;
	int threshold;
	int bands;
	int left, top, right, bottom;
};

static bool
is_margin(const struct search *search, const uint8_t *pixel)
{
	struct look look = look_of(pixel, search->bands);

	for (int i = 0; i < 4; i++)
		if (abs(look.channels[i] - search->margin.channels[i]) > search->threshold)
			return false;
	return true;
}

static void
search_row(struct search *search, const uint8_t *row, int width, int y)
{
	int left = 0, right = width;

	while (left < width && is_margin(search, row + left * search->bands))
		left++;
	if (left == width)
		return;
	while (is_margin(search, row + (right - 1) * search->bands))
		right--;
	search->left = VIPS_MIN(search->left, left);
	search->right = VIPS_MAX(search->right, right);
	search->top = VIPS_MIN(search->top, y);
	search->bottom = VIPS_MAX(search->bottom, y + 1);
}

/* Some rows at a time: the original is never in memory as a whole. */
static bool
search_rows(struct search *search, VipsImage *roll, VipsRegion *region, int frame_height, struct failure *why)
{
	int width = vips_image_get_width(roll), height = vips_image_get_height(roll);

	for (int y = 0; y < height; y++) {
		VipsRect rows = { 0, y, width, VIPS_MIN(ROWS_AT_ONCE, height - y) };

		if (y % ROWS_AT_ONCE == 0 && vips_region_prepare(region, &rows) == -1)
			return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
		search_row(search, VIPS_REGION_ADDR(region, 0, y), width, y % frame_height);
	}
	return fail_for_made_up_pixels(why);
}

/* The colour given, or that of the upright picture's top left pixel. */
static bool
choose_margin(struct search *search, const struct source *source, const struct recipe *recipe, VipsRegion *region,
    struct failure *why)
{
	const struct image_description *description = &source->description;
	struct recipe_colour colour = recipe->trim.colour;
	uint8_t given[PIXEL_BYTES_MAX] = { colour.red, colour.green, colour.blue, colour.alpha };
	struct rectangle corner = rectangle_as_stored((struct rectangle){ 0, 0, 1, 1 },
	    orientation_to_undo(description->orientation, recipe), description->width, description->height);
	VipsRect at = { (int)corner.x, (int)corner.y, 1, 1 };

	if (recipe->trim.has_colour) {
		search->margin = look_of(given, 4);
		return true;
	}
	if (vips_region_prepare(region, &at) == -1)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	search->margin = look_of(VIPS_REGION_ADDR(region, at.left, at.top), search->bands);
	return true;
}

static bool
search_roll(struct search *search, VipsImage *roll, const struct source *source, const struct recipe *recipe,
    struct failure *why)
{
	int frame_height = vips_image_get_height(roll) / (int)source->frames;
	VipsRegion *region = vips_region_new(roll);
	bool is_searched;

	*search = (struct search){
		.threshold = (int)recipe->trim.threshold,
		.bands = vips_image_get_bands(roll),
		.left = vips_image_get_width(roll),
		.top = frame_height,
	};
	is_searched = choose_margin(search, source, recipe, region, why) &&
	    search_rows(search, roll, region, frame_height, why);
	g_object_unref(region);
	return is_searched;
}

/* The colours that the recipe speaks of.  Rows can be read from the top only once,
 * and the corner of a turned picture may be in the last. */
static bool
prepare_roll(VipsImage **roll, unsigned orientation, struct failure *why)
{
	return picture_to_colour_space(roll, ICC_SRGB, why) && picture_to_rgb(roll, why) &&
	    (orientation == 1 || picture_decode(roll, why));
}

bool
source_find_visible(const struct source *source, const struct recipe *recipe,
    struct geometry_source *size, struct failure *why)
{
	const struct geometry as_it_is = { .turned_width = 1, .turned_height = 1, .scaled_width = 1,
		.scaled_height = 1 };
	unsigned orientation = orientation_to_undo(source->description.orientation, recipe);
	struct search search;
	VipsImage *roll;
	bool is_searched;

	if (!source_load_aside(source, source->frames, &as_it_is, &roll, why))
		return false;
	is_searched = prepare_roll(&roll, orientation, why) && search_roll(&search, roll, source, recipe, why);
	g_object_unref(roll);
	if (!is_searched)
		return false;
	if (search.bottom == 0)
		return fail(why, FAIL_UNPROCESSABLE, "trim=%u leaves nothing of the image", recipe->trim.threshold);
	size->visible = rectangle_as_upright((struct rectangle){ (unsigned)search.left, (unsigned)search.top,
	    (unsigned)(search.right - search.left), (unsigned)(search.bottom - search.top) }, orientation,
	    size->width, size->height);
	return true;
}

/* ---- g=smart, g=entropy ------------------------------------------------------------------------ */

/* Pixels on the longer side of what is searched: enough to tell where, and as
 * much work for every original. */
enum { SEARCH_SIDE = 512 };

struct point {
	double x, y;
};

struct window {
	int width, height;
};

/* The whole of what trim and crop leave: upright, small, and on white. */
static bool
plan_search(const struct recipe *recipe, const struct geometry_source *size, struct recipe *plain,
    struct geometry *small, struct failure *why)
{
	double shrink;

	recipe_init(plain);
	plain->orient = recipe->orient;
	plain->crop = recipe->crop;
	plain->gravity = GRAVITY_CENTRE;
	if (!geometry_plan(plain, size, small, why))
		return false;
	shrink = fmax(1, fmax(small->turned_width, small->turned_height) / SEARCH_SIDE);
	small->canvas_width = small->scaled_width = (unsigned)fmax(round(small->turned_width / shrink), 1);
	small->canvas_height = small->scaled_height = (unsigned)fmax(round(small->turned_height / shrink), 1);
	return true;
}

/* The size of the cut in pixels of the small picture.  Upright again for quarters,
 * and for other angles as if it had not been turned. */
static struct window
window_of(const struct recipe *recipe, const struct geometry *centred, const struct geometry *small)
{
	double across = (double)centred->cut.width / centred->scaled_width * centred->turned_width;
	double down = (double)centred->cut.height / centred->scaled_height * centred->turned_height;
	bool lies_on_its_side = recipe->rotation == 90 || recipe->rotation == 270;
	double width = (lies_on_its_side ? down : across) * small->scaled_width / small->turned_width;
	double height = (lies_on_its_side ? across : down) * small->scaled_height / small->turned_height;

	return (struct window){
		(int)fmin(fmax(round(width), 1), small->scaled_width),
		(int)fmin(fmax(round(height), 1), small->scaled_height),
	};
}

static bool
load_small(const struct source *source, const struct recipe *plain, const struct geometry *small,
    VipsImage **image, struct failure *why)
{
	if (!source_load_aside(source, 1, small, image, why))
		return false;
	if (picture_scale(image, &source->description, plain, small, why) && picture_decode(image, why) &&
	    picture_to_colour_space(image, ICC_SRGB, why) &&
	    picture_turn(image, source->description.orientation, plain, small, MEDIA_JPEG, why) &&
	    picture_to_rgb(image, why) && picture_to_canvas(image, plain, small, MEDIA_JPEG, why))
		return true;
	g_object_unref(*image);
	return false;
}

/* attention: the point itself; entropy knows only the window that has most. */
static bool
find_in(VipsImage *image, enum recipe_gravity gravity, struct window window, struct point *point, struct failure *why)
{
	VipsImage *found;
	int x = 0, y = 0;

	if (gravity == GRAVITY_SMART) {
		if (vips_smartcrop(image, &found, window.width, window.height, "interesting",
		    VIPS_INTERESTING_ATTENTION, "attention_x", &x, "attention_y", &y, NULL) == -1)
			return fail_from_vips(why, FAIL_INTERNAL, "g=smart");
		*point = (struct point){ x, y };
	} else {
		if (vips_smartcrop(image, &found, window.width, window.height, "interesting",
		    VIPS_INTERESTING_ENTROPY, NULL) == -1)
			return fail_from_vips(why, FAIL_INTERNAL, "g=entropy");
		*point = (struct point){ window.width / 2.0 - vips_image_get_xoffset(found),
			window.height / 2.0 - vips_image_get_yoffset(found) };
	}
	g_object_unref(found);
	return true;
}

/* As many decimals as a recipe can be written with: the same URL with g=x:y gives
 * the same picture. */
static double
to_fraction(double position, unsigned side)
{
	return round(fmin(fmax(position / side, 0), 1) * 1e6) / 1e6;
}

bool
source_find_point(const struct source *source, const struct geometry_source *size,
    const struct geometry *centred, struct recipe *recipe, struct failure *why)
{
	enum recipe_gravity gravity = recipe->gravity;
	struct point point = { 0, 0 };
	struct geometry small;
	struct window window;
	struct recipe plain;
	VipsImage *image;
	bool is_found;

	recipe->gravity = GRAVITY_CENTRE;
	if (!plan_search(recipe, size, &plain, &small, why))
		return false;
	window = window_of(recipe, centred, &small);
	if (window.width == (int)small.scaled_width && window.height == (int)small.scaled_height)
		return true;
	if (!load_small(source, &plain, &small, &image, why))
		return false;
	is_found = find_in(image, gravity, window, &point, why);
	g_object_unref(image);
	recipe->gravity = GRAVITY_POINT;
	recipe->gravity_x = to_fraction(small.source.x + point.x * small.source.width / small.scaled_width,
	    size->width);
	recipe->gravity_y = to_fraction(small.source.y + point.y * small.source.height / small.scaled_height,
	    size->height);
	return is_found;
}
