/* test_preset - names, texts, presets made of presets, and the default. */
#include "recipe/operation.h"
#include "recipe/preset.h"
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void
add(struct preset_set *set, const char *name, const char *text)
{
	struct failure why = { 0 };

	if (!preset_add(set, name, text, &why))
		fail_msg("@%s: %s", name, why.detail);
}

static void
assert_refused(struct preset_set *set, const char *name, const char *text, const char *detail)
{
	struct failure why = { 0 };
	unsigned count = set->count;

	if (preset_add(set, name, text, &why))
		fail_msg("took @%s %s", name, text);
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	if (strstr(why.detail, detail) == NULL)
		fail_msg("said: %s", why.detail);
	assert_int_equal(set->count, count);
}

static void
test_finds_what_was_added(void **state)
{
	struct preset_set set = { 0 };

	(void)state;
	add(&set, "card", "w=300");
	add(&set, "a_b-9", "w=400");
	assert_string_equal(preset_find(&set, span_of("card"))->text, "w=300");
	assert_string_equal(preset_find(&set, span_of("a_b-9"))->text, "w=400");
	assert_null(preset_find(&set, span_of("car")));
	assert_null(preset_find(&set, span_of("@card")));
	assert_null(preset_find(&set, span_of("")));
}

static void
test_refuses_names_that_a_url_cannot_hold(void **state)
{
	static const char *const names[] = {
		"", "Card", "a b", "a,b", "a=b", "@a", "caf\xC3\xA9", "a/b", "123456789012345678901234567890123",
	};
	struct preset_set set = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_refused(&set, names[i], "w=3", "must be 1 to 32");
	add(&set, "12345678901234567890123456789012", "w=3");
}

static void
test_refuses_a_name_that_is_taken(void **state)
{
	struct preset_set set = { 0 };

	(void)state;
	add(&set, "card", "w=300");
	assert_refused(&set, "card", "w=400", "@card is defined twice");
}

static void
test_finds_mistakes_when_it_is_added(void **state)
{
	struct preset_set set = { 0 };

	(void)state;
	assert_refused(&set, "a", "wdith=3", "preset @a: unknown operation 'wdith'");
	assert_refused(&set, "a", "w=3,w=4", "w is given twice");
	assert_refused(&set, "a", "", "empty");
	assert_refused(&set, "a", "@later", "unknown preset '@later'");
	assert_refused(&set, "a", "-", "asks for no operation");
	assert_refused(&set, "a", "original", "asks for no operation");
	assert_refused(&set, "a", "@a", "nested");
	assert_refused(&set, "a", "w=9,lossless=1,q=3", "lossless cannot be had with q");
	assert_refused(&set, "a", "w=3,text=Sale", "asks for text or dl");
	assert_refused(&set, "a", "w=3,dl=sale", "asks for text or dl");
	add(&set, "caption", "textg=n,textsize=0.1,textcolor=f00,credit=1,watermark=logo");
}

static void
test_builds_on_presets_before_it(void **state)
{
	struct preset_set set = { 0 };
	struct failure why = { 0 };
	struct recipe recipe;

	(void)state;
	add(&set, "card", "w=300,h=200");
	add(&set, "sharp", "dpr=2");
	add(&set, "tall", "@card,@sharp,h=600");
	assert_true(recipe_parse(span_of("@tall"), &set, &recipe, &why));
	assert_int_equal(recipe.width, 300);
	assert_int_equal(recipe.height, 600);
	assert_true(recipe.dpr == 2);
	assert_true(recipe.asked == (operation_bit("w") | operation_bit("h") | operation_bit("dpr")));
	assert_true(recipe.asked_freely == 0);
	/* The same preset may come in by two ways; later words win. */
	assert_true(recipe_parse(span_of("@tall,@card,w=5"), &set, &recipe, &why));
	assert_int_equal(recipe.width, 5);
	assert_int_equal(recipe.height, 200);
	assert_true(recipe.asked_freely == operation_bit("w"));
}

static void
test_bounds_how_deep_presets_nest(void **state)
{
	static const char *const names[] = { "p0", "p1", "p2", "p3", "p4" };
	static const char *const texts[] = { "w=1", "@p0", "@p1", "@p2", "@p3" };
	struct preset_set set = { 0 };

	(void)state;
	for (unsigned i = 0; i < PRESET_DEPTH_MAX; i++)
		add(&set, names[i], texts[i]);
	assert_refused(&set, names[PRESET_DEPTH_MAX], texts[PRESET_DEPTH_MAX], "nested deeper than 4");
}

static void
test_refuses_one_too_many(void **state)
{
	static char names[PRESET_MAX + 1][8];
	struct preset_set set = { 0 };

	(void)state;
	for (unsigned i = 0; i <= PRESET_MAX; i++)
		snprintf(names[i], sizeof(names[i]), "p%u", i);
	for (unsigned i = 0; i < PRESET_MAX; i++)
		add(&set, names[i], "w=3");
	assert_refused(&set, names[PRESET_MAX], "w=3", "limit 128");
}

/* ---- the default ----------------------------------------------------------------------- */

static void
add_default(struct preset_set *set)
{
	struct failure why = { 0 };

	add(set, "site", "q=low,strip=all,fit=cover,w=100");
	add(set, "card", "w=300,fit=pad");
	assert_true(preset_set_default(set, "site", &why));
}

static void
test_puts_the_default_before_everything(void **state)
{
	static const struct {
		const char *recipe, *want;
	} cases[] = {
		{ "-", "w=100,fit=cover,q=low,strip=all" },
		{ "h=50", "w=100,h=50,fit=cover,q=low,strip=all" },
		{ "@card", "w=300,fit=pad,q=low,strip=all" },
		{ "@card,q=80,strip=copyright", "w=300,fit=pad,q=80" },
		{ "@site,@card", "w=300,fit=pad,q=low,strip=all" },
		{ "lossless=1", "w=100,fit=cover,lossless=1,strip=all" },
		{ "original", "original" },
	};
	struct preset_set set = { 0 };
	struct arena *arena = arena_new();

	(void)state;
	add_default(&set);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct recipe recipe, again;
		struct text out;

		assert_true(recipe_parse(span_of(cases[i].recipe), &set, &recipe, &why));
		text_init(&out, arena, RECIPE_TEXT_MAX);
		recipe_print(&recipe, &out);
		assert_string_equal(out.at, cases[i].want);
		/* The renderer reads it without presets. */
		assert_true(recipe_parse(text_span(&out), NULL, &again, &why));
		again.asked = recipe.asked;
		again.asked_freely = recipe.asked_freely;
		again.presets = recipe.presets;
		assert_memory_equal(&again, &recipe, sizeof(recipe));
	}
	arena_free(arena);
}

static void
test_counts_the_default_as_not_asked(void **state)
{
	struct preset_set set = { 0 };
	struct failure why = { 0 };
	struct recipe recipe;

	(void)state;
	add_default(&set);
	assert_true(recipe_parse(span_of("-"), &set, &recipe, &why));
	assert_true(recipe.asked == 0 && recipe.asked_freely == 0 && recipe.presets == 0);
	assert_true(recipe_parse(span_of("@card,dpr=2"), &set, &recipe, &why));
	assert_true(recipe.asked == (operation_bit("w") | operation_bit("fit") | operation_bit("dpr")));
	assert_true(recipe.asked_freely == operation_bit("dpr"));
	assert_int_equal(recipe.presets, 1);
	/* A preset is what it asks itself. */
	assert_refused(&set, "nothing", "-", "asks for no operation");
	add(&set, "square", "h=100");
}

static void
test_refuses_a_default_that_does_not_go_with_the_others(void **state)
{
	struct preset_set set = { 0 };
	struct failure why = { 0 };

	(void)state;
	assert_false(preset_set_default(&set, "site", &why));
	assert_string_equal(why.detail, "there is no preset 'site' to be the default");
	failure_clear(&why);
	add(&set, "box", "w=3,h=4");
	add(&set, "shape", "ar=16:9");
	assert_false(preset_set_default(&set, "box", &why));
	assert_string_equal(why.detail, "preset @shape: ar cannot be had with both w and h");
	assert_null(set.default_name);
	failure_clear(&why);
	assert_true(preset_set_default(&set, "shape", &why));
	assert_string_equal(set.default_name, "shape");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_was_added),
		cmocka_unit_test(test_refuses_names_that_a_url_cannot_hold),
		cmocka_unit_test(test_refuses_a_name_that_is_taken),
		cmocka_unit_test(test_finds_mistakes_when_it_is_added),
		cmocka_unit_test(test_builds_on_presets_before_it),
		cmocka_unit_test(test_bounds_how_deep_presets_nest),
		cmocka_unit_test(test_refuses_one_too_many),
		cmocka_unit_test(test_puts_the_default_before_everything),
		cmocka_unit_test(test_counts_the_default_as_not_asked),
		cmocka_unit_test(test_refuses_a_default_that_does_not_go_with_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
