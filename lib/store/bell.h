/*
 * bell - how those who wait for a key learn that its lock is free, without looking all the time.
 *
 * Two hundred who look a hundred times a second keep a processor busy.  So they sleep until the
 * key's bell is rung, by whoever unlocks (futex(2)).  A bell says nothing but that it is time to
 * look: keys share it, and who dies does not ring, so nobody sleeps for longer than BELL_SLEEP_MS
 * before he looks.  Read the bell before looking, and nothing is missed in between:
 *
 *	seen = bell_read(bell);
 *	if (!is_free())
 *		bell_sleep(bell, seen, deadline);
 */
#ifndef STORE_BELL_H
#define STORE_BELL_H

#include "base/deadline.h"

#include <stdatomic.h>
#include <stdint.h>

enum { STORE_BELLS = 256, BELL_SLEEP_MS = 100 };

/* In memory that processes share.  All zeros: none was ever rung. */
struct store_bells {
	_Atomic uint32_t rung[STORE_BELLS];
};

uint32_t bell_read(const _Atomic uint32_t *bell);

/* Until it is rung, if it was not since it was read as `seen`; or the time is over; or now and then
 * for no reason. */
void bell_sleep(_Atomic uint32_t *bell, uint32_t seen, struct deadline deadline);

/* Wakes all. */
void bell_ring(_Atomic uint32_t *bell);

#endif
