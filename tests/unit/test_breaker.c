/* test_breaker - one process finds out for all, and dying while it does is no harm. */
#include "base/breaker.h"
#include "base/deadline.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 50, PROCESSES = 8 };

static void
wait_ms(int64_t ms)
{
	deadline_sleep_ms(deadline_in_ms(60000), ms);
}

static void
test_allows_everybody_while_closed(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(breaker_allows(&breaker, PAUSE_MS));
	assert_false(breaker_is_open(&breaker));
}

static void
test_allows_nobody_during_the_pause(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	breaker_open(&breaker, 60000);
	assert_false(breaker_allows(&breaker, 60000));
	assert_true(breaker_is_open(&breaker));
}

static void
test_allows_one_after_the_pause(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	breaker_open(&breaker, PAUSE_MS);
	wait_ms(PAUSE_MS);
	assert_true(breaker_allows(&breaker, PAUSE_MS));
	assert_false(breaker_allows(&breaker, PAUSE_MS));
}

/* Who was let through may die without a word. */
static void
test_allows_another_when_the_first_says_nothing(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	breaker_open(&breaker, PAUSE_MS);
	wait_ms(PAUSE_MS);
	assert_true(breaker_allows(&breaker, PAUSE_MS));
	wait_ms(PAUSE_MS);
	assert_true(breaker_allows(&breaker, PAUSE_MS));
}

static void
test_allows_everybody_once_it_answered(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	breaker_open(&breaker, 60000);
	breaker_close(&breaker);
	assert_true(breaker_allows(&breaker, 60000));
	assert_true(breaker_allows(&breaker, 60000));
}

/* The monotonic clock begins anew with the machine; a file does not. */
static void
test_does_not_wait_for_a_moment_of_an_earlier_boot(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	atomic_store(&breaker.open_until_us, monotonic_us() + (int64_t)86400 * 1000000);
	assert_true(breaker_allows(&breaker, PAUSE_MS));
	assert_false(breaker_allows(&breaker, PAUSE_MS));
}

static void
test_remembers_when_it_failed_after_it_has_answered(void **state)
{
	struct breaker breaker = { 0 };
	int64_t before = time(NULL);

	(void)state;
	assert_int_equal(breaker_failed_at_s(&breaker), 0);
	breaker_open(&breaker, PAUSE_MS);
	breaker_close(&breaker);
	assert_in_range(breaker_failed_at_s(&breaker), before, time(NULL));
	atomic_store(&breaker.failed_at_s, before - 100);
	assert_int_equal(breaker_failed_at_s(&breaker), before - 100);
	breaker_open(&breaker, PAUSE_MS);
	assert_in_range(breaker_failed_at_s(&breaker), before, time(NULL));
}

/* Or nothing would be believed until that moment comes. */
static void
test_does_not_fail_in_the_future(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	atomic_store(&breaker.failed_at_s, time(NULL) + 1000);
	assert_int_equal(breaker_failed_at_s(&breaker), 0);
}

static void
test_allows_one_of_many_processes(void **state)
{
	struct breaker *breaker = mmap(NULL, sizeof(*breaker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned allowed = 0;

	(void)state;
	assert_ptr_not_equal(breaker, MAP_FAILED);
	atomic_store(&breaker->open_until_us, 1);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			_exit(breaker_allows(breaker, 60000) ? 1 : 0);
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		allowed += WEXITSTATUS(status);
	}
	assert_int_equal(allowed, 1);
	munmap(breaker, sizeof(*breaker));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows_everybody_while_closed),
		cmocka_unit_test(test_allows_nobody_during_the_pause),
		cmocka_unit_test(test_allows_one_after_the_pause),
		cmocka_unit_test(test_allows_another_when_the_first_says_nothing),
		cmocka_unit_test(test_allows_everybody_once_it_answered),
		cmocka_unit_test(test_does_not_wait_for_a_moment_of_an_earlier_boot),
		cmocka_unit_test(test_remembers_when_it_failed_after_it_has_answered),
		cmocka_unit_test(test_does_not_fail_in_the_future),
		cmocka_unit_test(test_allows_one_of_many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
