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
	return (struct deadline){ .at_us = monotonic_us() + ms * 1000 };
}

struct deadline
deadline_within_ms(struct deadline deadline, int64_t ms)
{
	struct deadline sooner = deadline_in_ms(ms);

	if (sooner.at_us < deadline.at_us)
		deadline.at_us = sooner.at_us;
	return deadline;
}

static bool
vigil_is_over(struct vigil *vigil, int64_t now_us)
{
	if (vigil->was_over || now_us < vigil->ask_again_us)
		return vigil->was_over;
	vigil->ask_again_us = now_us + VIGIL_MS * 1000;
	vigil->was_over = vigil->is_over(vigil->state);
	return vigil->was_over;
}

bool
deadline_has_passed(struct deadline deadline)
{
	int64_t now_us = monotonic_us();

	return deadline.at_us <= now_us || (deadline.vigil != NULL && vigil_is_over(deadline.vigil, now_us));
}

int
deadline_left_ms(struct deadline deadline)
{
	int64_t left_us = deadline.at_us - monotonic_us();

	if (deadline_has_passed(deadline) || left_us <= 0)
		return 0;
	if (left_us > (int64_t)INT_MAX * 1000 - 999)
		return INT_MAX;
	return (int)((left_us + 999) / 1000);
}

int
deadline_slice_ms(struct deadline deadline)
{
	int left_ms = deadline_left_ms(deadline);

	return deadline.vigil != NULL && left_ms > VIGIL_MS ? VIGIL_MS : left_ms;
}

void
deadline_sleep_ms(struct deadline deadline, int64_t ms)
{
	struct deadline until = deadline_within_ms(deadline, ms);
	struct timespec at = { until.at_us / 1000000, (until.at_us % 1000000) * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}
