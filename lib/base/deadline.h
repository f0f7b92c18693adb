/*
 * deadline - the moment after which nobody waits any longer.
 *
 * One deadline is set when a request arrives and handed to every step; a step
 * may shorten it for itself, never extend it.  Times are CLOCK_MONOTONIC, so
 * setting the machine's clock or suspending it does no harm.
 *
 * A deadline may have a vigil: somebody who knows whether the result is still
 * wanted.  When it is not, the deadline counts as passed, so whatever waits
 * ends by the way it has anyway.  Steps that wait for long wait in slices, and
 * ask deadline_has_passed() between them.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

enum { VIGIL_MS = 200 };		/* how often it is asked, at most, and in waits at least */

struct vigil {
	bool (*is_over)(void *state);	/* nobody wants the result any more; takes well under a millisecond */
	void *state;
	int64_t ask_again_us;
	bool was_over;			/* then it stays so */
};

struct deadline {
	int64_t at_us;
	struct vigil *vigil;		/* NULL: only time ends it */
};

/* Microseconds of CLOCK_MONOTONIC. */
int64_t monotonic_us(void);

struct deadline deadline_in_ms(int64_t ms);

/* The earlier of the deadline and now + ms, with the same vigil. */
struct deadline deadline_within_ms(struct deadline deadline, int64_t ms);

/* What is left, rounded up to whole milliseconds; 0 when it has passed.  Fits
 * poll() and the other calls that take an int. */
int deadline_left_ms(struct deadline deadline);

/* How long to poll() before asking again whether the deadline has passed. */
int deadline_slice_ms(struct deadline deadline);

bool deadline_has_passed(struct deadline deadline);

/* Sleeps for ms, but never past the deadline. */
void deadline_sleep_ms(struct deadline deadline, int64_t ms);

#endif
