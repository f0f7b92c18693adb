/* test_preset - names, texts, and presets made of presets. */
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
