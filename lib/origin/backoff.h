/*
 * backoff - how long to wait before trying again, and whether at all.
 *
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): a
 * random time below a limit that doubles.  And a budget for the whole process:
 * a retry costs one token, a success earns a tenth, so that an outage of the
 * origin is not multiplied by everybody's retries (Google, "Site Reliability
 * Engineering", chapter 21).
 */
#ifndef ORIGIN_BACKOFF_H
#define ORIGIN_BACKOFF_H

#include <stdbool.h>

enum {
	BACKOFF_FIRST_MS = 50,
	BACKOFF_MAX_MS = 2000,
	BACKOFF_TENTHS_MAX = 100	/* ten retries saved up, which is also what a process starts with */
};

/* For the wait after the nth failed try, n from 1. */
unsigned backoff_wait_ms(unsigned failed_tries);

/* Takes one token of the process' budget; false when it is used up. */
bool backoff_take_token(void);
void backoff_earn(void);

#endif
