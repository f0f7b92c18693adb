/* What the ring remembers of an original that ends renderers. */
#include "catalog/quarantine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int
make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *
print(unsigned deaths, const char *reason)
{
	struct quarantine quarantine = { .deaths = deaths };
	struct text text;

	snprintf(quarantine.reason, sizeof(quarantine.reason), "%s", reason);
	text_init(&text, arena, QUARANTINE_PRINTED_MAX);
	quarantine_print(&quarantine, &text);
	assert_false(text.was_cut);
	return text.at;
}

static void
test_prints_what_it_parses(void **state)
{
	char longest[QUARANTINE_REASON_MAX + 1];
	const struct {
		unsigned deaths;
		const char *reason, *want;
	} cases[] = {
		{ 1, "the renderer died", "1 the renderer died" },
		{ 9, "", "9 " },
		{ 10, "again", "9 again" },
		{ 2, "of \xc3\xa9\n\x1b[2J", "2 of ????[2J" },
		{ 3, longest, NULL },
	};

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *printed = print(cases[i].deaths, cases[i].reason);
		struct quarantine parsed;

		if (cases[i].want != NULL)
			assert_string_equal(printed, cases[i].want);
		assert_true(quarantine_parse(span_of(printed), &parsed));
		assert_int_equal(parsed.deaths, cases[i].deaths < 9 ? cases[i].deaths : 9);
		assert_string_equal(parsed.reason, printed + 2);
	}
}

static void
test_refuses_what_is_no_record(void **state)
{
	static const char *const texts[] = {
		"", " ", "3", "0 never", "10 times", "-1 x", "x y", " 3 x", "3\nx", "3 a\nb", "3 \x7f", "3 \xc3\xa9"
	};
	char longer[2 + QUARANTINE_REASON_MAX + 2];
	struct quarantine parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (quarantine_parse(span_of(texts[i]), &parsed))
			fail_msg("took \"%s\"", texts[i]);
	assert_false(quarantine_parse(span_range("3 a\0b", 5), &parsed));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "3 ", 2);
	assert_false(quarantine_parse(span_of(longer), &parsed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_what_it_parses),
		cmocka_unit_test(test_refuses_what_is_no_record),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
