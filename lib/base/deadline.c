#include "base/deadline.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

int64_t
monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct deadline
deadline_in_ms(int64_t ms)
{
	return (struct deadline){ monotonic_us() + ms * 1000 };
}

struct deadline
deadline_within_ms(struct deadline deadline, int64_t ms)
{
	struct deadline sooner = deadline_in_ms(ms);

	return sooner.at_us < deadline.at_us ? sooner : deadline;
}

int
deadline_left_ms(struct deadline deadline)
{
	int64_t left_us = deadline.at_us - monotonic_us();

	if (left_us <= 0)
		return 0;
	if (left_us > (int64_t)INT_MAX * 1000 - 999)
		return INT_MAX;
	return (int)((left_us + 999) / 1000);
}

bool
deadline_has_passed(struct deadline deadline)
{
	return deadline.at_us <= monotonic_us();
}

void
deadline_sleep_ms(struct deadline deadline, int64_t ms)
{
	struct deadline until = deadline_within_ms(deadline, ms);
	struct timespec at = { until.at_us / 1000000, (until.at_us % 1000000) * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}
