#include "store/bell.h"

#include "base/check.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Not the private operations: others have the page mapped too. */
static bool
futex(_Atomic uint32_t *bell, int operation, uint32_t value, const struct timespec *pause)
{
	return syscall(SYS_futex, bell, operation, value, pause, NULL, 0) != -1;
}

uint32_t
bell_read(const _Atomic uint32_t *bell)
{
	return atomic_load(bell);
}

void
bell_sleep(_Atomic uint32_t *bell, uint32_t seen, struct deadline deadline)
{
	int ms = deadline_left_ms(deadline_within_ms(deadline, BELL_SLEEP_MS));
	const struct timespec pause = { .tv_nsec = ms * 1000000L };

	CHECK(futex(bell, FUTEX_WAIT, seen, &pause) || errno == EAGAIN || errno == ETIMEDOUT || errno == EINTR);
}

void
bell_ring(_Atomic uint32_t *bell)
{
	atomic_fetch_add(bell, 1);
	CHECK(futex(bell, FUTEX_WAKE, INT_MAX, NULL));
}
