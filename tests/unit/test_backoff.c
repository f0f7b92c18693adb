/* test_backoff - how long to wait, and when to stop trying. */
#include "origin/backoff.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void
test_waits_below_a_limit_that_doubles(void **state)
{
	static const struct { unsigned tries, limit; } table[] = {
		{ 1, 50 }, { 2, 100 }, { 3, 200 }, { 6, 1600 }, { 7, 2000 }, { 100, 2000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned longest = 0;

		for (int round = 0; round < 2000; round++) {
			unsigned wait = backoff_wait_ms(table[i].tries);

			assert_in_range(wait, 0, table[i].limit);
			if (wait > longest)
				longest = wait;
		}
		assert_in_range(longest, table[i].limit / 2, table[i].limit);
	}
}

static void
test_a_tenth_of_the_successes_pays_for_retries(void **state)
{
	(void)state;
	for (int i = 0; i < BACKOFF_TENTHS_MAX / 10; i++)
		assert_true(backoff_take_token());
	assert_false(backoff_take_token());
	for (int i = 0; i < 9; i++)
		backoff_earn();
	assert_false(backoff_take_token());
	backoff_earn();
	assert_true(backoff_take_token());
	assert_false(backoff_take_token());
	for (int i = 0; i < 10 * BACKOFF_TENTHS_MAX; i++)
		backoff_earn();
	for (int i = 0; i < BACKOFF_TENTHS_MAX / 10; i++)
		assert_true(backoff_take_token());
	assert_false(backoff_take_token());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_below_a_limit_that_doubles),
		cmocka_unit_test(test_a_tenth_of_the_successes_pays_for_retries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
