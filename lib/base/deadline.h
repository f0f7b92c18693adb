/*
 * deadline - the moment after which nobody waits any longer.
 *
 * One deadline is set when a request arrives and handed to every step; a step
 * may shorten it for itself, never extend it.  Times are CLOCK_MONOTONIC, so
 * setting the machine's clock or suspending it does no harm.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	int64_t at_us;
};

/* Microseconds of CLOCK_MONOTONIC. */
int64_t monotonic_us(void);

struct deadline deadline_in_ms(int64_t ms);

/* The earlier of the deadline and now + ms. */
struct deadline deadline_within_ms(struct deadline deadline, int64_t ms);

/* What is left, rounded up to whole milliseconds; 0 when it has passed.  Fits
 * poll() and the other calls that take an int. */
int deadline_left_ms(struct deadline deadline);

bool deadline_has_passed(struct deadline deadline);

/* Sleeps for ms, but never past the deadline. */
void deadline_sleep_ms(struct deadline deadline, int64_t ms);

#endif
