#include "origin/backoff.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

static unsigned tenths = BACKOFF_TENTHS_MAX;

/* Not from a seeded generator: processes that were forked together would wait together. */
static unsigned
random_below(unsigned limit)
{
	uint32_t number = 0;

	/* Without entropy we wait not at all, which is allowed. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		return 0;
	return number % limit;
}

unsigned
backoff_wait_ms(unsigned failed_tries)
{
	unsigned limit = BACKOFF_FIRST_MS;

	for (unsigned i = 1; i < failed_tries && limit < BACKOFF_MAX_MS; i++)
		limit *= 2;
	return random_below((limit < BACKOFF_MAX_MS ? limit : BACKOFF_MAX_MS) + 1);
}

bool
backoff_take_token(void)
{
	if (tenths < 10)
		return false;
	tenths -= 10;
	return true;
}

void
backoff_earn(void)
{
	if (tenths < BACKOFF_TENTHS_MAX)
		tenths++;
}
