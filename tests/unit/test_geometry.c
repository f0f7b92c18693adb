/*
 * test_geometry - exact sizes, against a table that a second implementation
 * computed (model_geometry.py), and the properties the prose promises.
 */
#include "recipe/geometry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct geometry_case {
	const char *recipe;
	unsigned width, height, orientation;	/* as stored */
	struct rectangle visible;		/* what trim left; width 0: everything */
	bool is_vector;
	enum failure_kind kind;
	struct geometry want;
};

#include "tests/unit/geometry_table.h"

enum { CASES = sizeof(geometry_table) / sizeof(geometry_table[0]), TEXT_MAX = 300 };

static struct recipe
recipe_of(const char *text)
{
	struct failure why = { 0 };
	struct recipe recipe;

	if (!recipe_parse(span_of(text), NULL, &recipe, &why))
		fail_msg("%s: %s", text, why.detail);
	recipe_resolve_focus(&recipe, false, 0, 0);
	return recipe;
}

static struct geometry_source
source_of(const struct geometry_case *row, const struct recipe *recipe)
{
	struct geometry_source source;

	geometry_source_init(&source, recipe, row->width, row->height, row->orientation,
	    row->is_vector ? MEDIA_SVG : MEDIA_JPEG);
	if (row->visible.width != 0)
		source.visible = row->visible;
	return source;
}

static void
describe(const struct geometry *g, char text[static TEXT_MAX])
{
	snprintf(text, TEXT_MAX,
	    "source %u,%u %ux%u turned %ux%u scaled %ux%u cut %u,%u %ux%u canvas %ux%u at %u,%u border %u "
	    "result %ux%u%s", g->source.x, g->source.y, g->source.width, g->source.height, g->turned_width,
	    g->turned_height, g->scaled_width, g->scaled_height, g->cut.x, g->cut.y, g->cut.width,
	    g->cut.height, g->canvas_width, g->canvas_height, g->left, g->top, g->border, g->width, g->height,
	    g->shows_all ? " shows all" : "");
}

static void
test_agrees_with_the_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct geometry_case *row = &geometry_table[i];
		struct recipe recipe = recipe_of(row->recipe);
		struct geometry_source source = source_of(row, &recipe);
		char want_text[TEXT_MAX], got_text[TEXT_MAX];
		struct failure why = { 0 };
		struct geometry got;

		if (!geometry_plan(&recipe, &source, &got, &why))
			got = (struct geometry){ 0 };
		if (why.kind != row->kind)
			fail_msg("%s of %ux%u: %s %s", row->recipe, row->width, row->height,
			    failure_kind_name(why.kind), why.detail);
		describe(&row->want, want_text);
		describe(&got, got_text);
		if (strcmp(want_text, got_text) != 0)
			fail_msg("%s of %ux%u\nwant %s\ngot  %s", row->recipe, row->width, row->height,
			    want_text, got_text);
	}
}

static struct geometry
plan_of(const char *text, unsigned width, unsigned height)
{
	struct recipe recipe = recipe_of(text);
	struct failure why = { 0 };
	struct geometry_source source;
	struct geometry geometry;

	geometry_source_init(&source, &recipe, width, height, 1, MEDIA_JPEG);
	if (!geometry_plan(&recipe, &source, &geometry, &why))
		fail_msg("%s of %ux%u: %s", text, width, height, why.detail);
	return geometry;
}

/* A few that a person has reckoned, so that model and code cannot agree on nonsense. */
static void
test_gives_sizes_that_people_expect(void **state)
{
	static const struct {
		const char *recipe;
		unsigned width, height;
		unsigned want_width, want_height;
	} cases[] = {
		{ "-", 640, 480, 640, 480 },
		{ "w=320", 640, 480, 320, 240 },
		{ "w=320,dpr=2", 6400, 4800, 640, 480 },
		{ "w=100,h=100", 640, 480, 100, 75 },
		{ "w=100,h=100,fit=outside", 640, 480, 133, 100 },
		{ "w=100,h=100,fit=cover", 640, 480, 100, 100 },
		{ "w=1000,h=1000,fit=cover", 640, 480, 480, 480 },
		{ "w=1000,h=500,fit=cover", 640, 480, 640, 320 },
		{ "w=1000,h=1000,fit=pad", 640, 480, 1000, 1000 },
		{ "w=1000,h=100,fit=fill", 640, 480, 640, 100 },
		{ "w=1280", 640, 480, 640, 480 },
		{ "w=1280,enlarge=1", 640, 480, 1280, 960 },
		{ "w=10", 10000, 1, 10, 1 },
		{ "dpr=3", 640, 480, 640, 480 },
		{ "w=0.5", 640, 480, 320, 240 },
		{ "w=0.5,dpr=2", 640, 480, 640, 480 },
		{ "w=320,ar=16:9,fit=cover", 640, 480, 320, 180 },
		{ "w=333,ar=16:9,dpr=2,fit=pad", 640, 480, 666, 375 },
		{ "ar=1:1,fit=cover", 640, 480, 480, 480 },
		{ "ar=1:1,fit=pad", 640, 480, 640, 640 },
		{ "ar=1:1", 640, 480, 640, 480 },
		{ "w=100,mh=100", 640, 480, 100, 100 },
		{ "w=100,mw=200", 640, 480, 100, 150 },
		{ "w=100,h=100,mw=90,mh=90", 640, 480, 100, 90 },
		{ "mw=800", 640, 480, 640, 480 },
		{ "mw=800,enlarge=1", 640, 480, 800, 600 },
		{ "zoom=2", 640, 480, 320, 240 },
		{ "zoom=2,w=200", 640, 480, 200, 150 },
		{ "zoom=2,w=640", 640, 480, 320, 240 },
		{ "zoom=2,w=640,enlarge=1", 640, 480, 640, 480 },
		{ "rot=90", 640, 480, 480, 640 },
		{ "rot=180,w=320", 640, 480, 320, 240 },
		{ "rot=270,w=240", 640, 480, 240, 320 },
		{ "rot=45", 100, 100, 141, 141 },	/* 100 * sqrt 2 */
		{ "rot=30", 200, 100, 223, 187 },	/* 200 * 0.8660 + 50, 100 + 86.60 */
		{ "border=10", 640, 480, 660, 500 },
		{ "w=100,h=100,fit=pad,border=3,dpr=1.5", 640, 480, 160, 160 },	/* 150 + 2 * 5 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct geometry got = plan_of(cases[i].recipe, cases[i].width, cases[i].height);

		if (got.width != cases[i].want_width || got.height != cases[i].want_height)
			fail_msg("%s: %ux%u", cases[i].recipe, got.width, got.height);
	}
}

static void
test_puts_the_point_in_the_middle_of_the_cut(void **state)
{
	struct geometry geometry = plan_of("w=100,h=100,fit=cover,g=0.5:0.5", 400, 100);

	(void)state;
	assert_int_equal(geometry.cut.x, 150);
	geometry = plan_of("w=100,h=100,fit=cover,g=0.3:0.5", 400, 100);
	assert_int_equal(geometry.cut.x, 70);
	geometry = plan_of("w=100,h=100,fit=cover,g=0.01:0.5", 400, 100);
	assert_int_equal(geometry.cut.x, 0);
	geometry = plan_of("w=100,h=100,fit=cover,g=1:0.5", 400, 100);
	assert_int_equal(geometry.cut.x, 300);
}

/* The point is a place in the image, wherever the crop begins. */
static void
test_measures_the_point_before_the_crop(void **state)
{
	struct geometry geometry = plan_of("w=100,h=100,fit=cover,g=0.5:0.5,crop=100:0:300:100", 400, 100);

	(void)state;
	assert_int_equal(geometry.cut.x, 50);
}

static void
assert_rectangle(struct rectangle got, unsigned x, unsigned y, unsigned width, unsigned height)
{
	if (got.x != x || got.y != y || got.width != width || got.height != height)
		fail_msg("%u,%u %ux%u, not %u,%u %ux%u", got.x, got.y, got.width, got.height, x, y, width, height);
}

/* A point at the left is at the top after a quarter clockwise, and at the bottom
 * when that is flipped down. */
static void
test_turns_the_point_with_the_picture(void **state)
{
	(void)state;
	assert_int_equal(plan_of("w=50,h=50,fit=cover,g=0.1:0.5", 400, 100).cut.x, 0);
	assert_int_equal(plan_of("w=50,h=50,fit=cover,g=0.1:0.5,rot=90", 400, 100).cut.y, 0);
	assert_int_equal(plan_of("w=50,h=50,fit=cover,g=0.1:0.5,rot=180", 400, 100).cut.x, 150);
	assert_int_equal(plan_of("w=50,h=50,fit=cover,g=0.1:0.5,rot=270", 400, 100).cut.y, 150);
	assert_int_equal(plan_of("w=50,h=50,fit=cover,g=0.1:0.5,flip=h", 400, 100).cut.x, 150);
	assert_int_equal(plan_of("w=50,h=50,fit=cover,g=0.1:0.5,rot=90,flip=v", 400, 100).cut.y, 150);
	/* 90 of 400 from the centre to the left goes up and left by 64 of a square of 354. */
	assert_int_equal(plan_of("w=100,h=354,fit=cover,g=0.275:0.5,rot=45", 400, 100).cut.x, 63);
}

static void
test_zooms_into_the_side_that_is_seen(void **state)
{
	(void)state;
	assert_rectangle(plan_of("zoom=2,g=nw", 640, 480).source, 0, 0, 320, 240);
	assert_rectangle(plan_of("zoom=2,g=nw,rot=90", 640, 480).source, 0, 240, 320, 240);
	assert_rectangle(plan_of("zoom=2,g=nw,rot=180", 640, 480).source, 320, 240, 320, 240);
	assert_rectangle(plan_of("zoom=2,g=nw,rot=270", 640, 480).source, 320, 0, 320, 240);
	assert_rectangle(plan_of("zoom=2,g=nw,rot=90,flip=h", 640, 480).source, 0, 0, 320, 240);
	assert_rectangle(plan_of("zoom=2,g=ne,flip=v,crop=40:80:600:400", 640, 480).source, 340, 280, 300, 200);
}

static void
test_zooms_a_freely_turned_picture_by_a_cut(void **state)
{
	struct geometry geometry = plan_of("zoom=2,w=50,rot=45,g=se", 100, 100);

	(void)state;
	/* The box of 141 is cut to 71, which becomes 50: 141 becomes 99. */
	assert_rectangle(geometry.source, 0, 0, 100, 100);
	assert_int_equal(geometry.turned_width, 141);
	assert_int_equal(geometry.scaled_width, 99);
	assert_rectangle(geometry.cut, 49, 49, 50, 50);
	assert_false(geometry.shows_all);
}

static void
test_moves_by_offsets(void **state)
{
	static const struct {
		const char *recipe;
		unsigned x, y;
	} cuts[] = {	/* of 200x200 from 400x300 */
		{ "g=nw:10:0", 10, 0 },
		{ "g=ne:10:0", 57, 0 },		/* 267 - 200 - 10 */
		{ "g=ne:-10:0", 67, 0 },
		{ "g=e:0.1:0.0", 47, 0 },
		{ "g=c:-3:0", 30, 0 },
		{ "g=n:0.005:0.0", 34, 0 },	/* a whole pixel */
		{ "g=n:-0.0025:0.0", 32, 0 },	/* half a pixel, away from zero */
		{ "g=c:1000:0", 67, 0 },
	};
	struct geometry geometry;
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		snprintf(text, sizeof(text), "w=200,h=200,fit=cover,%s", cuts[i].recipe);
		geometry = plan_of(text, 400, 300);
		if (geometry.cut.x != cuts[i].x || geometry.cut.y != cuts[i].y)
			fail_msg("%s: %u,%u", text, geometry.cut.x, geometry.cut.y);
	}
	geometry = plan_of("w=300,h=300,dpr=2,fit=pad,g=se:10:20", 400, 300);
	assert_int_equal(geometry.left, 180);
	assert_int_equal(geometry.top, 260);
	/* A quarter is kept and halved: 10 pixels of the result are 20 of the source. */
	assert_rectangle(plan_of("zoom=2,w=100,g=nw:10:0", 400, 300).source, 20, 0, 200, 150);
}

static void
test_counts_the_crop_from_what_trim_leaves(void **state)
{
	struct recipe recipe = recipe_of("trim=10,crop=5:6:1000:1000");
	struct geometry_source source = { 400, 300, { 100, 50, 200, 200 }, false };
	struct failure why = { 0 };
	struct geometry geometry;

	(void)state;
	assert_true(geometry_plan(&recipe, &source, &geometry, &why));
	assert_rectangle(geometry.source, 105, 56, 195, 194);
	assert_false(geometry.shows_all);
	source.visible = (struct rectangle){ 0, 0, 5, 300 };
	assert_false(geometry_plan(&recipe, &source, &geometry, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	assert_non_null(strstr(why.detail, "5x300"));
}

static void
test_knows_when_all_is_shown(void **state)
{
	static const char *const all[] = { "-", "w=100", "rot=90", "rot=10", "flip=h", "w=99,h=9,fit=fill", "border=5",
		"w=900,h=900,fit=pad", "crop=0:0:400:300", "zoom=1" };
	static const char *const parts[] = { "w=100,h=100,fit=cover", "crop=0:0:399:300", "zoom=1.1", "zoom=1.1,rot=10",
		"zoom=2,w=1", "zoom=1.4,w=1,rot=10", "w=10,mh=10" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!plan_of(all[i], 400, 300).shows_all)
			fail_msg("%s shows all", all[i]);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (plan_of(parts[i], 400, 300).shows_all)
			fail_msg("%s shows a part", parts[i]);
}

static void
test_lets_a_vector_grow(void **state)
{
	static const struct {
		const char *recipe;
		unsigned width, height;
	} cases[] = {
		{ "-", 100, 80 },
		{ "dpr=3", 100, 80 },
		{ "w=1000", 1000, 800 },
		{ "w=1000,h=1000", 1000, 800 },
		{ "w=1000,h=1000,fit=cover", 1000, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = recipe_of(cases[i].recipe);
		struct failure why = { 0 };
		struct geometry_source source;
		struct geometry geometry;

		geometry_source_init(&source, &recipe, 100, 80, 1, MEDIA_SVG);
		assert_true(geometry_plan(&recipe, &source, &geometry, &why));
		if (geometry.width != cases[i].width || geometry.height != cases[i].height)
			fail_msg("%s: %ux%u", cases[i].recipe, geometry.width, geometry.height);
	}
}

static void
test_multiplies_lengths_by_dpr(void **state)
{
	struct recipe recipe = recipe_of("dpr=1.5");

	(void)state;
	assert_int_equal(geometry_length(&recipe, 0), 0);
	assert_int_equal(geometry_length(&recipe, 3), 5);
	assert_int_equal(geometry_length(&recipe, 4), 6);
	recipe = recipe_of("dpr=0.5");
	assert_int_equal(geometry_length(&recipe, 1), 1);
}

static void
test_lets_neighbouring_crops_meet(void **state)
{
	(void)state;
	for (unsigned width = 1; width <= 300; width++) {
		struct geometry left = plan_of("crop=0.0:0.0:0.5:1.0", width + 1, 1);
		struct geometry right = plan_of("crop=0.5:0.0:0.5:1.0", width + 1, 1);

		assert_int_equal(left.source.width, right.source.x);
		assert_int_equal(left.source.width + right.source.width, width + 1);
	}
}

static bool
is_within(struct rectangle part, unsigned width, unsigned height)
{
	return part.width >= 1 && part.x + part.width <= width && part.height >= 1 && part.y + part.height <= height;
}

static void
test_keeps_every_promise_about_the_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct geometry_case *row = &geometry_table[i];
		struct recipe recipe = recipe_of(row->recipe);
		struct geometry_source source = source_of(row, &recipe);
		struct failure why = { 0 };
		struct geometry g;

		if (!geometry_plan(&recipe, &source, &g, &why))
			continue;
		assert_true(is_within(g.source, source.width, source.height));
		assert_true(is_within(g.cut, g.scaled_width, g.scaled_height));
		assert_true(g.left + g.cut.width <= g.canvas_width && g.top + g.cut.height <= g.canvas_height);
		assert_true(g.canvas_width + 2 * g.border == g.width && g.canvas_height + 2 * g.border == g.height);
		assert_true(g.width <= RECIPE_RESULT_SIDE_MAX && g.height <= RECIPE_RESULT_SIDE_MAX);
		if (!recipe.may_enlarge && !row->is_vector)
			assert_true(g.scaled_width <= g.turned_width && g.scaled_height <= g.turned_height);
	}
}

static void
test_names_the_limit_that_is_passed(void **state)
{
	static const struct {
		const char *recipe;
		unsigned width, height;
		const char *detail;
	} cases[] = {
		{ "w=100", GEOMETRY_SIDE_MAX + 1, 1, "the original has 10000001x1 pixels, limit 10000000" },
		{ "rot=45", GEOMETRY_SIDE_MAX, GEOMETRY_SIDE_MAX, "rot makes it 14142136x14142136 pixels, limit 10000000" },
		{ "w=8192,ar=1:10000", 640, 480, "a box of 8192x81920000 pixels, limit 10000000" },
		{ "w=8192,dpr=8,enlarge=1", 640, 480, "would have 65536x49152 pixels, limit 16384" },
		{ "border=1", 16383, 1, "would have 16385x3 pixels, limit 16384" },
		{ "w=100,h=100,fit=cover,enlarge=1", 1, 100001, "scaled to 100x10000100 pixels before it is cut" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = recipe_of(cases[i].recipe);
		struct failure why = { 0 };
		struct geometry_source source;
		struct geometry geometry;

		geometry_source_init(&source, &recipe, cases[i].width, cases[i].height, 1, MEDIA_JPEG);
		assert_false(geometry_plan(&recipe, &source, &geometry, &why));
		assert_int_equal(why.kind, FAIL_UNPROCESSABLE);
		if (strstr(why.detail, cases[i].detail) == NULL)
			fail_msg("%s: %s", cases[i].recipe, why.detail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_model),
		cmocka_unit_test(test_gives_sizes_that_people_expect),
		cmocka_unit_test(test_puts_the_point_in_the_middle_of_the_cut),
		cmocka_unit_test(test_measures_the_point_before_the_crop),
		cmocka_unit_test(test_turns_the_point_with_the_picture),
		cmocka_unit_test(test_zooms_into_the_side_that_is_seen),
		cmocka_unit_test(test_zooms_a_freely_turned_picture_by_a_cut),
		cmocka_unit_test(test_moves_by_offsets),
		cmocka_unit_test(test_counts_the_crop_from_what_trim_leaves),
		cmocka_unit_test(test_knows_when_all_is_shown),
		cmocka_unit_test(test_lets_a_vector_grow),
		cmocka_unit_test(test_multiplies_lengths_by_dpr),
		cmocka_unit_test(test_lets_neighbouring_crops_meet),
		cmocka_unit_test(test_keeps_every_promise_about_the_parts),
		cmocka_unit_test(test_names_the_limit_that_is_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
