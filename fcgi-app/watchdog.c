#include "fcgi-app/watchdog.h"

#include "base/deadline.h"

#include <unistd.h>

static int64_t rings_us;	/* 0: no alarm is set */

void
watchdog_set(unsigned seconds)
{
	int64_t now_us = monotonic_us();
	int64_t first_us = now_us + (int64_t)seconds * 1000000, last_us = first_us + WATCHDOG_LATE_S * 1000000;

	if (first_us <= rings_us && rings_us <= last_us)
		return;
	alarm(seconds + WATCHDOG_LATE_S);
	rings_us = last_us;
}

void
watchdog_rest(void)
{
	if (rings_us != 0)
		alarm(0);
	rings_us = 0;
}
