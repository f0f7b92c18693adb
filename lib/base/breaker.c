#include "base/breaker.h"

#include "base/deadline.h"

#include <time.h>

/* A moment further away than any pause is from before the machine was started
 * again: shared memory may be a file. */
static bool
is_pausing(int64_t open_until_us, int64_t now_us, unsigned pause_ms)
{
	return open_until_us > now_us && open_until_us <= now_us + 2 * (int64_t)pause_ms * 1000;
}

bool
breaker_allows(struct breaker *breaker, unsigned pause_ms)
{
	int64_t until_us = atomic_load(&breaker->open_until_us);
	int64_t now_us = monotonic_us();

	if (until_us == 0)
		return true;
	if (is_pausing(until_us, now_us, pause_ms))
		return false;
	/* Who moves it forward is the one who tries. */
	return atomic_compare_exchange_strong(&breaker->open_until_us, &until_us,
	    now_us + (int64_t)pause_ms * 1000);
}

void
breaker_close(struct breaker *breaker)
{
	if (atomic_load_explicit(&breaker->open_until_us, memory_order_relaxed) != 0)
		atomic_store(&breaker->open_until_us, 0);
}

void
breaker_open(struct breaker *breaker, unsigned pause_ms)
{
	/* First: once it is open, whoever closes it must not find an older failure. */
	atomic_store(&breaker->failed_at_s, time(NULL));
	atomic_store(&breaker->open_until_us, monotonic_us() + (int64_t)pause_ms * 1000);
}

bool
breaker_is_open(const struct breaker *breaker)
{
	return atomic_load(&breaker->open_until_us) != 0;
}

int64_t
breaker_failed_at_s(const struct breaker *breaker)
{
	int64_t failed_at_s = atomic_load(&breaker->failed_at_s);

	return failed_at_s <= time(NULL) ? failed_at_s : 0;
}
