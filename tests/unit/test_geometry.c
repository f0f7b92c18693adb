/*
 * test_geometry - exact sizes, against a table that a second implementation
 * computed (model_geometry.py), and the properties the prose promises.
 */
#include "recipe/geometry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

struct geometry_case {
	const char *recipe;
	unsigned width, height;
	enum failure_kind kind;
	struct geometry want;
};

#include "tests/unit/geometry_table.h"

enum { CASES = sizeof(geometry_table) / sizeof(geometry_table[0]) };

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

static void
print_geometry(const char *title, const struct geometry *g)
{
	print_error("%s: source %u,%u %ux%u scaled %ux%u cut %u,%u %ux%u result %ux%u at %u,%u\n", title,
	    g->source.x, g->source.y, g->source.width, g->source.height, g->scaled_width,
	    g->scaled_height, g->cut.x, g->cut.y, g->cut.width, g->cut.height, g->width, g->height,
	    g->left, g->top);
}

static void
test_agrees_with_the_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct geometry_case *row = &geometry_table[i];
		struct recipe recipe = recipe_of(row->recipe);
		struct geometry got = { 0 };
		struct failure why = { 0 };
		bool is_planned = geometry_plan(&recipe, &(struct geometry_source){ row->width, row->height, { 0, 0, row->width, row->height }, false }, &got, &why);

		if (why.kind != row->kind)
			fail_msg("%s of %ux%u: %s %s", row->recipe, row->width, row->height,
			    failure_kind_name(why.kind), why.detail);
		if (is_planned && memcmp(&got, &row->want, sizeof(got)) != 0) {
			print_geometry("want", &row->want);
			print_geometry("got ", &got);
			fail_msg("%s of %ux%u", row->recipe, row->width, row->height);
		}
	}
}

static struct geometry
plan_of(const char *text, unsigned width, unsigned height)
{
	struct recipe recipe = recipe_of(text);
	struct failure why = { 0 };
	struct geometry geometry;

	if (!geometry_plan(&recipe, &(struct geometry_source){ width, height, { 0, 0, width, height }, false }, &geometry, &why))
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

static void
test_keeps_every_promise_about_the_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct geometry_case *row = &geometry_table[i];
		const struct geometry *g = &row->want;

		if (row->kind != FAIL_NONE)
			continue;
		assert_true(g->source.width >= 1 && g->source.x + g->source.width <= row->width);
		assert_true(g->source.height >= 1 && g->source.y + g->source.height <= row->height);
		assert_true(g->cut.width >= 1 && g->cut.x + g->cut.width <= g->scaled_width);
		assert_true(g->cut.height >= 1 && g->cut.y + g->cut.height <= g->scaled_height);
		assert_true(g->left + g->cut.width <= g->width && g->top + g->cut.height <= g->height);
		assert_true(g->width <= RECIPE_RESULT_SIDE_MAX && g->height <= RECIPE_RESULT_SIDE_MAX);
		if (strstr(row->recipe, "enlarge=1") == NULL)
			assert_true(g->scaled_width <= g->source.width && g->scaled_height <= g->source.height);
	}
}

static void
test_refuses_an_original_that_is_too_long(void **state)
{
	struct recipe recipe = recipe_of("w=100");
	struct failure why = { 0 };
	struct geometry geometry;

	(void)state;
	assert_false(geometry_plan(&recipe, &(struct geometry_source){ GEOMETRY_SIDE_MAX + 1, 1, { 0, 0, GEOMETRY_SIDE_MAX + 1, 1 }, false }, &geometry, &why));
	assert_int_equal(why.kind, FAIL_UNPROCESSABLE);
	assert_non_null(strstr(why.detail, "10000000"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_model),
		cmocka_unit_test(test_gives_sizes_that_people_expect),
		cmocka_unit_test(test_puts_the_point_in_the_middle_of_the_cut),
		cmocka_unit_test(test_measures_the_point_before_the_crop),
		cmocka_unit_test(test_lets_neighbouring_crops_meet),
		cmocka_unit_test(test_keeps_every_promise_about_the_parts),
		cmocka_unit_test(test_refuses_an_original_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
