/* test_watchdog - what hangs is ended, in time and by SIGALRM; what waits for work is not. */
#include "fcgi-app/watchdog.h"

#include "base/deadline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIVED = 7, TOLERANCE_MS = 500 };

static void
hang(unsigned seconds)
{
	watchdog_set(seconds);
}

/* Many requests, one alarm: the last one counts. */
static void
work_and_hang(unsigned seconds)
{
	for (unsigned i = 0; i < 10; i++) {
		watchdog_set(seconds);
		usleep(100000);
	}
}

/* As when a file has been sent slowly, and the next request hangs. */
static void
hang_after_longer_work(unsigned seconds)
{
	watchdog_set(100);
	watchdog_set(seconds);
}

static void
work_longer(unsigned seconds)
{
	watchdog_set(seconds);
	watchdog_set(100);
}

static void
rest(unsigned seconds)
{
	watchdog_set(seconds);
	watchdog_rest();
}

static void
rest_and_hang(unsigned seconds)
{
	rest(seconds);
	watchdog_set(seconds);
}

static const struct {
	void (*work)(unsigned seconds);
	unsigned first_ms, last_ms;		/* when it ends; 0: it lives */
} cases[] = {
	{ hang, 1000, 1000 + WATCHDOG_LATE_S * 1000 },
	{ work_and_hang, 1900, 1900 + WATCHDOG_LATE_S * 1000 },
	{ hang_after_longer_work, 1000, 1000 + WATCHDOG_LATE_S * 1000 },
	{ work_longer, 0, 0 },
	{ rest, 0, 0 },
	{ rest_and_hang, 1000, 1000 + WATCHDOG_LATE_S * 1000 },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static size_t
case_of(const pid_t *children, pid_t pid)
{
	size_t i = 0;

	while (i < CASES && children[i] != pid)
		i++;
	assert_true(i < CASES);
	return i;
}

/* All at once; what hangs takes no notice of time. */
static void
test_what_hangs_is_ended_in_time_and_nothing_else(void **state)
{
	int64_t from_us = monotonic_us();
	pid_t children[CASES];

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		children[i] = fork();
		assert_true(children[i] != -1);
		if (children[i] != 0)
			continue;
		cases[i].work(1);
		while (monotonic_us() - from_us < (4000 + TOLERANCE_MS) * 1000)
			usleep(10000);
		_exit(LIVED);
	}
	for (size_t left = CASES; left > 0; left--) {
		int status;
		size_t i = case_of(children, wait(&status));
		int64_t took_ms = (monotonic_us() - from_us) / 1000;

		if (cases[i].last_ms == 0) {
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == LIVED);
			continue;
		}
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
		assert_in_range(took_ms, cases[i].first_ms, cases[i].last_ms + TOLERANCE_MS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_hangs_is_ended_in_time_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
