/* test_recipe - URL text to recipe to canonical text, and the operations table. */
#include "recipe/operation.h"
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct preset_set presets;

static int
open_fixture(void **state)
{
	struct failure why = { 0 };

	(void)state;
	arena = arena_new();
	return preset_add(&presets, "card", "w=300,h=200,fit=cover", &why) &&
	    preset_add(&presets, "big", "enlarge=1,w=900,g=0.2:0.8,bg=fff", &why) ? 0 : -1;
}

static int
close_fixture(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct recipe
parse(const char *text)
{
	struct failure why = { 0 };
	struct recipe recipe;

	if (!recipe_parse(span_of(text), &presets, &recipe, &why))
		fail_msg("%s: %s", text, why.detail);
	return recipe;
}

static const char *
canonical(const struct recipe *recipe)
{
	struct text out;

	text_init(&out, arena, RECIPE_TEXT_MAX);
	recipe_print(recipe, &out);
	assert_false(out.was_cut);
	return out.at;
}

static void
test_prints_one_text_for_every_spelling(void **state)
{
	static const struct {
		const char *input, *want;
	} cases[] = {
		{ "-", "-" },
		{ "original", "original" },
		{ "w=400", "w=400" },
		{ "w=0400", "w=400" },
		{ "h=300,w=400", "w=400,h=300" },
		{ "enlarge=1,q=80,bg=abc,g=n,fit=cover,dpr=2,h=3,w=4", "w=4,h=3,dpr=2,fit=cover,g=n,bg=aabbcc,q=80,enlarge=1" },
		{ "w=1,h=8192", "w=1,h=8192" },
		/* defaults are left out */
		{ "dpr=1", "-" },
		{ "dpr=1.000", "-" },
		{ "fit=contain,enlarge=0,g=focus", "-" },
		{ "dpr=1.50", "dpr=1.5" },
		{ "dpr=0.5", "dpr=0.5" },
		{ "dpr=8", "dpr=8" },
		{ "dpr=1.125", "dpr=1.125" },
		{ "fit=outside", "fit=outside" },
		{ "g=nw", "g=nw" },
		{ "g=0.50:1.0", "g=0.5:1" },
		{ "g=0:0", "g=0:0" },
		{ "g=0.123456:0.000001", "g=0.123456:0.000001" },
		{ "crop=0:00:10:20", "crop=0:0:10:20" },
		{ "crop=0.0:0.10:1.000:0.5", "crop=0.0:0.1:1.0:0.5" },
		{ "crop=0.0:0.0:0.000001:1.0", "crop=0.0:0.0:0.000001:1.0" },
		{ "bg=FfF", "bg=ffffff" },
		{ "bg=FfF8", "bg=ffffff88" },
		{ "bg=AABBCC", "bg=aabbcc" },
		{ "bg=AABBCCff", "bg=aabbcc" },
		{ "bg=AABBCC00", "bg=aabbcc00" },
		{ "bg=transparent", "bg=00000000" },
		{ "q=1", "q=1" },
		{ "q=100", "q=100" },
		/* presets */
		{ "@card", "w=300,h=200,fit=cover" },
		{ "@card,dpr=2", "w=300,h=200,dpr=2,fit=cover" },
		{ "@card,w=100,fit=contain", "w=100,h=200" },
		{ "@card,@big", "w=900,h=200,fit=cover,g=0.2:0.8,bg=ffffff,enlarge=1" },
		{ "@big,@card", "w=300,h=200,fit=cover,g=0.2:0.8,bg=ffffff,enlarge=1" },
		{ "@big,enlarge=0,g=s,bg=000", "w=900,g=s,bg=000000" },
		{ "@big,g=focus,enlarge=0", "w=900,bg=ffffff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].input);
		struct recipe again;

		assert_string_equal(canonical(&recipe), cases[i].want);
		again = parse(cases[i].want);
		again.asked = recipe.asked;
		again.asked_freely = recipe.asked_freely;
		again.presets = recipe.presets;
		/* Both were zeroed by recipe_init(), padding included. */
		assert_memory_equal(&again, &recipe, sizeof(recipe));
	}
}

static void
test_says_what_is_wrong(void **state)
{
	static const struct {
		const char *input, *want;	/* a part of the detail */
	} cases[] = {
		{ "", "empty" },
		{ ",", "comma" },
		{ "w=4,", "comma" },
		{ ",w=4", "comma" },
		{ "w=4,,h=3", "comma" },
		{ "wdith=400", "unknown operation 'wdith'" },
		{ "W=400", "unknown operation 'W'" },
		{ "=400", "unknown operation ''" },
		{ " w=400", "unknown operation ' w'" },
		{ "x'\x1b\xff" "y=1", "unknown operation 'x?" "??y'" },
		{ "w", "w has no value" },
		{ "w=", "w must be 1..8192" },
		{ "w=0", "w must be 1..8192, not '0'" },
		{ "w=8193", "w must be" },
		{ "w=-1", "w must be" },
		{ "w=4.5", "w must be" },
		{ "w=400px", "w must be" },
		{ "w=400=3", "w must be" },
		{ "w=99999999999999999999999", "w must be" },
		{ "h=0", "h must be" },
		{ "dpr=0.49", "dpr must be" },
		{ "dpr=8.001", "dpr must be" },
		{ "dpr=1.0001", "at most 3 decimals" },
		{ "dpr=2x", "dpr must be" },
		{ "fit=", "fit must be contain, cover, fill, pad or outside" },
		{ "fit=Cover", "fit must be" },
		{ "g=north", "g must be" },
		{ "g=0.5", "g must be" },
		{ "g=0.5:", "g must be" },
		{ "g=0.5:1.1", "g must be" },
		{ "g=0.5:-0.1", "g must be" },
		{ "g=0.5:0.5:0.5", "g must be" },
		{ "g=0.1234567:0", "g must be" },
		{ "crop=1:2:3", "crop must be" },
		{ "crop=1:2:3:4:5", "crop must be" },
		{ "crop=1:2:3:4:", "crop must be" },
		{ "crop=1:2:0:4", "crop must be" },
		{ "crop=1:2:3:0", "crop must be" },
		{ "crop=0.0:0.0:0.0:1.0", "crop must be" },
		{ "crop=0:0:0.5:0.5", "crop must be" },
		{ "crop=0.0:0.0:1:1.0", "crop must be" },
		{ "crop=0.0:0.0:1.1:1.0", "crop must be" },
		{ "crop=-1:0:5:5", "crop must be" },
		{ "crop=0:0:10000001:5", "crop must be" },
		{ "bg=", "bg must be" },
		{ "bg=ff", "bg must be" },
		{ "bg=fffff", "bg must be" },
		{ "bg=fffffff", "bg must be" },
		{ "bg=fffffffff", "bg must be" },
		{ "bg=ggg", "bg must be" },
		{ "bg=#fff", "bg must be" },
		{ "bg=white", "bg must be" },
		{ "q=0", "q must be 1..100" },
		{ "q=101", "q must be" },
		{ "enlarge=2", "enlarge must be 0 or 1" },
		{ "enlarge=true", "enlarge must be" },
		{ "w=1,w=1", "w is given twice" },
		{ "w=1,h=2,w=3", "w is given twice" },
		{ "original,w=3", "'original' must stand alone" },
		{ "w=3,original", "'original' must stand alone" },
		{ "original,original", "'original' must stand alone" },
		{ "@card,original", "'original' must stand alone" },
		{ "-,w=3", "'-' must stand alone" },
		{ "Original", "unknown operation 'Original'" },
		{ "@nosuch", "unknown preset '@nosuch'" },
		{ "@", "unknown preset '@'" },
		{ "@card=3", "unknown preset '@card=3'" },
		{ "w=3,@card", "@card must stand before" },
		{ "@card,w=3,@big", "@big must stand before" },
		{ "@card,@card", "@card is given twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct recipe recipe;

		if (recipe_parse(span_of(cases[i].input), &presets, &recipe, &why))
			fail_msg("took '%s'", cases[i].input);
		assert_int_equal(why.kind, FAIL_BAD_REQUEST);
		if (strstr(why.detail, cases[i].want) == NULL)
			fail_msg("'%s' said: %s", cases[i].input, why.detail);
	}
}

static void
test_knows_no_presets_without_a_set(void **state)
{
	struct failure why = { 0 };
	struct recipe recipe;

	(void)state;
	assert_false(recipe_parse(span_of("@card"), NULL, &recipe, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
}

static void
test_holds_the_text_to_its_limit(void **state)
{
	char text[RECIPE_TEXT_MAX + 1];
	struct failure why = { 0 };
	struct recipe recipe;

	(void)state;
	memset(text, '0', sizeof(text));
	memcpy(text, "w=", 2);
	text[RECIPE_TEXT_MAX - 1] = '7';
	assert_true(recipe_parse(span_range(text, RECIPE_TEXT_MAX), NULL, &recipe, &why));
	assert_int_equal(recipe.width, 7);
	assert_false(recipe_parse(span_range(text, RECIPE_TEXT_MAX + 1), NULL, &recipe, &why));
	assert_non_null(strstr(why.detail, "1024"));
}

static void
test_remembers_what_the_url_itself_asked(void **state)
{
	const uint64_t w = operation_bit("w"), h = operation_bit("h"), fit = operation_bit("fit");
	const uint64_t dpr = operation_bit("dpr");
	struct recipe recipe = parse("w=400,dpr=1");

	(void)state;
	assert_true(recipe.asked == (w | dpr) && recipe.asked_freely == (w | dpr));
	recipe = parse("@card");
	assert_true(recipe.asked == (w | h | fit) && recipe.asked_freely == 0);
	recipe = parse("@card,dpr=2");
	assert_true(recipe.asked == (w | h | fit | dpr) && recipe.asked_freely == dpr);
	recipe = parse("@card,w=300");
	assert_true(recipe.asked == (w | h | fit) && recipe.asked_freely == w);
	recipe = parse("original");
	assert_true(recipe.asked == 0 && recipe.asked_freely == 0 && recipe.is_original);
	recipe = parse("-");
	assert_true(recipe.asked == 0 && recipe.asked_freely == 0 && !recipe.is_original);
}

static void
test_resolves_the_focal_point(void **state)
{
	static const struct {
		const char *recipe;
		bool has_focus;
		double x, y;
		const char *want;
	} cases[] = {
		{ "w=9", true, 0.25, 0.75, "w=9,g=0.25:0.75" },
		{ "w=9", false, 0.25, 0.75, "w=9,g=c" },
		{ "g=n", true, 0.25, 0.75, "g=n" },
		{ "g=0.1:0.2", true, 0.25, 0.75, "g=0.1:0.2" },
		{ "w=9", true, 1.0 / 3, -1, "w=9,g=0.333333:0" },
		{ "w=9", true, 1.5, 1, "w=9,g=1:1" },
		/* pad cuts nothing off, so the focal point has nothing to save */
		{ "w=9,h=9,fit=pad", true, 0.25, 0.75, "w=9,h=9,fit=pad,g=c" },
		{ "fit=pad,g=0.1:0.2", true, 0.25, 0.75, "fit=pad,g=0.1:0.2" },
		{ "original", true, 0.25, 0.75, "original" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].recipe), again;

		recipe_resolve_focus(&recipe, cases[i].has_focus, cases[i].x, cases[i].y);
		assert_string_equal(canonical(&recipe), cases[i].want);
		again = parse(cases[i].want);
		if (!recipe.is_original)
			assert_true(again.gravity_x == recipe.gravity_x && again.gravity_y == recipe.gravity_y);
	}
}

/* ---- the table ---------------------------------------------------------------------- */

static void
test_describes_every_operation(void **state)
{
	struct text table;

	(void)state;
	text_init(&table, arena, 64 * 1024);
	operation_print_table(&table);
	assert_false(table.was_cut);
	for (unsigned i = 0; i < operation_count; i++) {
		const struct operation *operation = &operations[i];

		assert_int_equal(operation_find(span_of(operation->name)), i);
		assert_true(operation_bit(operation->name) == UINT64_C(1) << i);
		assert_non_null(operation->parse);
		assert_non_null(operation->print);
		assert_non_null(strstr(table.at, operation->help));
		assert_int_equal(operation->help[strlen(operation->help) - 1], '.');
		/* A bar would end the cell. */
		assert_null(strchr(operation->argument, '|'));
	}
	assert_int_equal(operation_find(span_of("")), -1);
	assert_int_equal(operation_find(span_of("original")), -1);
}

static void
test_names_every_word_in_the_grammar(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		for (unsigned word = 0; word < operations[i].word_count; word++) {
			char quoted[64], sentence[256];

			snprintf(quoted, sizeof(quoted), " %s,", operations[i].words[word]);
			snprintf(sentence, sizeof(sentence), " %s,", operations[i].argument);
			for (char *or = strstr(sentence, " or "); or != NULL; or = strstr(sentence, " or "))
				memcpy(or, ",   ", 4);
			if (strstr(sentence, quoted) == NULL && strstr(sentence, quoted + 1) == NULL)
				fail_msg("%s does not name %s", operations[i].name, operations[i].words[word]);
		}
	}
}

static void
test_says_the_range_it_checks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		double min, max;
		char *end;

		if (operations[i].max == 0)
			continue;
		min = strtod(operations[i].argument, &end);
		/* strtod() takes the first point of "1..8192" as the number's own. */
		end = strstr(operations[i].argument, "..");
		assert_non_null(end);
		max = strtod(end + 2, NULL);
		assert_true(min == operations[i].min && max == operations[i].max);
	}
}

/* Otherwise the renderer could not read what the responder printed. */
static void
test_fits_the_longest_canonical_text(void **state)
{
	struct recipe recipe = parse("w=8192,h=8192,dpr=7.999,fit=outside,g=0.123456:0.123456,"
	    "crop=0.123456:0.123456:0.123456:0.123456,bg=12345678,q=100,enlarge=1");

	(void)state;
	assert_true(recipe.asked == (UINT64_C(1) << operation_count) - 1);	/* none is forgotten here */
	assert_true(strlen(canonical(&recipe)) < RECIPE_TEXT_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_one_text_for_every_spelling),
		cmocka_unit_test(test_says_what_is_wrong),
		cmocka_unit_test(test_knows_no_presets_without_a_set),
		cmocka_unit_test(test_holds_the_text_to_its_limit),
		cmocka_unit_test(test_remembers_what_the_url_itself_asked),
		cmocka_unit_test(test_resolves_the_focal_point),
		cmocka_unit_test(test_describes_every_operation),
		cmocka_unit_test(test_names_every_word_in_the_grammar),
		cmocka_unit_test(test_says_the_range_it_checks),
		cmocka_unit_test(test_fits_the_longest_canonical_text),
	};

	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
