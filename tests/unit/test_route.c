/*
 * test_route - which paths lead where, and which lead nowhere.
 */
#include "fcgi-app/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static bool
parse(struct arena *arena, const char *path, const char *prefix, struct route *route, struct failure *why)
{
	failure_clear(why);
	return route_parse(span_of(path), prefix, arena, route, why);
}

static void
test_finds_the_parts_of_a_path(void **state)
{
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct route route;

	(void)state;
	assert_true(parse(arena, "/a/cat-1/w=400,h=300/my%20cat.v2.webp", "", &route, &why));
	assert_int_equal(route.kind, ROUTE_ASSET);
	assert_false(route.has_token);
	assert_true(span_equals(route.asset, "cat-1"));
	assert_true(span_equals(route.recipe, "w=400,h=300"));
	assert_true(span_equals(route.name, "my cat.v2"));
	assert_int_equal(route.format, MEDIA_WEBP);

	assert_true(parse(arena, "/s/k.exp=1.mac/cat/original/x.jpg", "", &route, &why));
	assert_true(route.has_token);
	assert_true(span_equals(route.token, "k.exp=1.mac"));
	assert_true(span_equals(route.covered, "/cat/original/x.jpg"));

	assert_true(parse(arena, "/assets/a/cat/w=1/auto", "/assets", &route, &why));
	assert_true(route.is_auto);
	assert_int_equal(route.name.length, 0);

	assert_true(parse(arena, "/a/cat/w=1/x.auto", "", &route, &why));
	assert_true(route.is_auto);

	assert_true(parse(arena, "/health", "", &route, &why));
	assert_int_equal(route.kind, ROUTE_HEALTH);
	assert_true(parse(arena, "/metrics", "", &route, &why));
	assert_int_equal(route.kind, ROUTE_METRICS);
	arena_free(arena);
}

/* Arguments are decoded by recipe_parse(), after its cuts; what a client encoded as a
 * whole is one layer further in. */
static void
test_decodes_a_recipe_only_when_it_was_encoded_as_a_whole(void **state)
{
	static const struct {
		const char *segment, *want;
	} cases[] = {
		{ "w=400,h=300", "w=400,h=300" },
		{ "w=400,text=a%2Cb%2F", "w=400,text=a%2Cb%2F" },
		{ "text=a%2Cb", "text=a%2Cb" },
		{ "w=400%2Ch=300", "w=400,h=300" },
		{ "w%3D400%2Ch%3D300", "w=400,h=300" },
		{ "w%3D400%2Ctext%3Da%252Cb", "w=400,text=a%2Cb" },
		{ "%40card%2Cw%3D5", "@card,w=5" },
		{ "original", "original" },
		{ "%6Friginal", "original" },
		{ "-", "-" },
		{ "", "" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct route route;

		assert_true(parse(arena, arena_printf(arena, "/a/cat/%s/x.jpg", cases[i].segment), "", &route, &why));
		if (!span_equals(route.recipe, cases[i].want))
			fail_msg("%s: %.*s", cases[i].segment, SPAN_ARGS(route.recipe));
	}
	arena_free(arena);
}

static void
test_tells_info_from_a_recipe(void **state)
{
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct route route;

	(void)state;
	assert_true(parse(arena, "/a/cat/info.json", "", &route, &why));
	assert_int_equal(route.kind, ROUTE_INFO);
	assert_true(span_equals(route.asset, "cat") && !route.has_token);
	assert_true(parse(arena, "/p/s/k..mac/cat/info.json", "/p", &route, &why));
	assert_int_equal(route.kind, ROUTE_INFO);
	assert_true(span_equals(route.covered, "/cat/info.json") && span_equals(route.mac, "mac"));
	assert_true(parse(arena, "/a/cat/w=1/info.json", "", &route, &why));
	assert_int_equal(route.kind, ROUTE_ASSET);
	assert_false(parse(arena, "/a/c.t/info.json", "", &route, &why));
	arena_free(arena);
}

static void
test_refuses_what_leads_nowhere(void **state)
{
	static const struct {
		const char *path, *prefix;
		enum failure_kind want;
	} cases[] = {
		{ "/", "", FAIL_NOT_FOUND },
		{ "/favicon.ico", "", FAIL_NOT_FOUND },
		{ "/b/cat/w=1/x.jpg", "", FAIL_NOT_FOUND },
		{ "/a/cat/w=1/x.jpg", "/assets", FAIL_NOT_FOUND },
		{ "/assets", "/assets", FAIL_NOT_FOUND },
		{ "/a/cat", "", FAIL_BAD_REQUEST },
		{ "/a/cat/w=1", "", FAIL_BAD_REQUEST },
		{ "/a/cat/info.jsonp", "", FAIL_BAD_REQUEST },
		{ "/a/cat/w=1/x.jpg/more", "", FAIL_BAD_REQUEST },
		{ "/a//w=1/x.jpg", "", FAIL_BAD_REQUEST },
		{ "/a/c%2f/w=1/x.jpg", "", FAIL_BAD_REQUEST },
		{ "/a/c.t/w=1/x.jpg", "", FAIL_BAD_REQUEST },
		{ "/a/cat/w=1/%2e%2e", "", FAIL_BAD_REQUEST },
		{ "/a/cat/w%3D1%2F/x.jpg", "", FAIL_BAD_REQUEST },
		{ "/a/cat/%2e%2e/x.jpg", "", FAIL_BAD_REQUEST },
		{ "/a/cat/w%3D1%0A/x.jpg", "", FAIL_BAD_REQUEST },
		{ "/a/cat/w=1/x%00.jpg", "", FAIL_BAD_REQUEST },
		{ "/s/token", "", FAIL_BAD_REQUEST },
		{ "/s/token/cat/w=1", "", FAIL_BAD_REQUEST },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct route route;

		if (parse(arena, cases[i].path, cases[i].prefix, &route, &why) || why.kind != cases[i].want)
			fail_msg("%s: %s (%s)", cases[i].path, failure_kind_name(why.kind), why.detail);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_parts_of_a_path),
		cmocka_unit_test(test_decodes_a_recipe_only_when_it_was_encoded_as_a_whole),
		cmocka_unit_test(test_tells_info_from_a_recipe),
		cmocka_unit_test(test_refuses_what_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
