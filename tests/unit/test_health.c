/* test_health - how much must go wrong before an origin is left alone. */
#include "origin/health.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { LONG_MS = 60000 };

/* What happens, one letter each: a(nswer), f(ailure), u(nreachable). */
static void
test_is_left_alone_after_enough(void **state)
{
	static const struct { const char *events; bool is_allowed; } table[] = {
		{ "", true },
		{ "a", true },
		{ "ff", true },
		{ "fff", false },
		{ "u", false },
		{ "ffaff", true },
		{ "ffafff", false },
		{ "fffa", true },
		{ "ua", true },
		{ "fffaff", true },
		{ "uf", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct origin_health health = { 0 };

		for (const char *event = table[i].events; *event != '\0'; event++) {
			if (*event == 'a')
				origin_health_note_answer(&health);
			else if (*event == 'f')
				origin_health_note_failure(&health, LONG_MS);
			else
				origin_health_note_unreachable(&health, LONG_MS);
		}
		if (origin_health_is_bad(&health) == table[i].is_allowed ||
		    origin_health_allows(&health, LONG_MS) != table[i].is_allowed)
			fail_msg("after \"%s\"", table[i].events);
	}
}

/* A failure of the one who tries is enough to go on waiting. */
static void
test_after_the_pause_one_tries(void **state)
{
	struct origin_health health = { 0 };

	(void)state;
	for (int i = 0; i < HEALTH_FAILURES_MAX; i++)
		origin_health_note_failure(&health, 0);
	assert_true(origin_health_allows(&health, LONG_MS));
	assert_false(origin_health_allows(&health, LONG_MS));
	assert_true(origin_health_is_bad(&health));
	origin_health_note_failure(&health, LONG_MS);
	assert_false(origin_health_allows(&health, LONG_MS));
	origin_health_note_answer(&health);
	assert_true(origin_health_allows(&health, LONG_MS));
}

static void
test_what_nobody_watches_may_always_be_asked(void **state)
{
	(void)state;
	origin_health_note_unreachable(NULL, LONG_MS);
	origin_health_note_failure(NULL, LONG_MS);
	origin_health_note_answer(NULL);
	assert_true(origin_health_allows(NULL, LONG_MS));
	assert_false(origin_health_is_bad(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_left_alone_after_enough),
		cmocka_unit_test(test_after_the_pause_one_tries),
		cmocka_unit_test(test_what_nobody_watches_may_always_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
