/* test_deadline - moments are shortened, never extended, and fit into an int. */
#include "base/deadline.h"

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void
test_tells_what_is_left(void **state)
{
	int left = deadline_left_ms(deadline_in_ms(10000));

	(void)state;
	assert_in_range(left, 9000, 10000);
	assert_false(deadline_has_passed(deadline_in_ms(10000)));
}

static void
test_has_nothing_left_once_passed(void **state)
{
	(void)state;
	assert_true(deadline_has_passed(deadline_in_ms(0)));
	assert_int_equal(deadline_left_ms(deadline_in_ms(0)), 0);
	assert_int_equal(deadline_left_ms(deadline_in_ms(-5000)), 0);
}

/* poll(0) would spin: the last fraction of a millisecond still counts as one. */
static void
test_rounds_what_is_left_up(void **state)
{
	struct deadline deadline = { .at_us = monotonic_us() + 500000 + 1 };
	int left = deadline_left_ms(deadline);

	(void)state;
	assert_in_range(left, 400, 501);
	deadline.at_us = monotonic_us() + 900;
	left = deadline_left_ms(deadline);
	assert_true(left == 1 || deadline_has_passed(deadline));
}

static void
test_fits_an_int_however_far_away(void **state)
{
	struct deadline far = { .at_us = INT64_MAX / 2 };

	(void)state;
	assert_int_equal(deadline_left_ms(far), INT_MAX);
}

static void
test_shortens_and_never_extends(void **state)
{
	struct deadline soon = deadline_in_ms(100), late = deadline_in_ms(60000);

	(void)state;
	assert_true(deadline_within_ms(soon, 60000).at_us == soon.at_us);
	assert_in_range(deadline_left_ms(deadline_within_ms(late, 100)), 0, 100);
}

static void
test_sleeps_but_not_past_the_deadline(void **state)
{
	int64_t before = monotonic_us(), slept_us;

	(void)state;
	deadline_sleep_ms(deadline_in_ms(60000), 20);
	slept_us = monotonic_us() - before;
	assert_in_range(slept_us, 20000, 5000000);
	before = monotonic_us();
	deadline_sleep_ms(deadline_in_ms(20), 60000);
	slept_us = monotonic_us() - before;
	assert_in_range(slept_us, 19000, 5000000);
}

/* A vigil that ends when the number it was given is counted down to zero. */
static bool
count_down(void *state)
{
	unsigned *left = state;

	if (*left > 0)
		--*left;
	return *left == 0;
}

static void
test_passes_when_nobody_wants_the_result(void **state)
{
	unsigned left = 2;
	struct vigil vigil = { .is_over = count_down, .state = &left };
	struct deadline deadline = deadline_in_ms(60000);

	(void)state;
	deadline.vigil = &vigil;
	assert_int_equal(deadline_slice_ms(deadline), VIGIL_MS);
	assert_false(deadline_has_passed(deadline));
	assert_false(deadline_has_passed(deadline_within_ms(deadline, 50000)));
	assert_int_equal(left, 1);	/* asked once, however often we looked */
	deadline_sleep_ms(deadline, VIGIL_MS);
	assert_true(deadline_has_passed(deadline));
	assert_int_equal(deadline_left_ms(deadline), 0);
	left = 2;
	deadline_sleep_ms(deadline_in_ms(60000), VIGIL_MS);
	assert_true(deadline_has_passed(deadline));	/* and stays so */
}

static void
test_waits_in_one_piece_without_a_vigil(void **state)
{
	(void)state;
	assert_in_range(deadline_slice_ms(deadline_in_ms(60000)), 59000, 60000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells_what_is_left),
		cmocka_unit_test(test_has_nothing_left_once_passed),
		cmocka_unit_test(test_rounds_what_is_left_up),
		cmocka_unit_test(test_fits_an_int_however_far_away),
		cmocka_unit_test(test_shortens_and_never_extends),
		cmocka_unit_test(test_sleeps_but_not_past_the_deadline),
		cmocka_unit_test(test_passes_when_nobody_wants_the_result),
		cmocka_unit_test(test_waits_in_one_piece_without_a_vigil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
