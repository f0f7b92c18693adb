/*
 * lock - one byte of ROOT/lock, held by one open file description.
 *
 * Byte offsets need not exist in the file, so the 63 bits of an offset are
 * the name of the lock: each use below has a range of its own.  Every lock
 * opens ROOT/lock for itself (two microseconds), because open-file-description
 * locks of one description never conflict with each other; the kernel drops
 * the lock with the last copy of the descriptor, however the process ends.  Where the
 * disk is read-only, a file in /dev/shm stands in.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/deadline.h"
#include "base/failure.h"
#include "store/store.h"

#include <stdbool.h>
#include <sys/types.h>

enum { LANE_PLACES_MAX = 1 << 20, LANES_MAX = 1 << 20 };

/* Keys are below: bit 56 is the part, the bits under it begin the key.  Two
 * keys with the same 56 bits wait for each other, which does no harm. */
#define LOCK_AWAITED ((off_t)1 << 59)	/* + the key's: locked for reading by who waits for it */
#define LOCK_LANES ((off_t)1 << 60)	/* + lane * LANE_PLACES_MAX + place */
#define LOCK_USAGE ((off_t)1 << 61)	/* who makes ROOT/usage anew */
#define LOCK_PROBE (LOCK_USAGE + 1)	/* whether there are locks at all */

/* FAIL_TIMEOUT when the deadline passes first; one attempt is always made. */
bool lock_wait(int root_fd, off_t offset, struct deadline deadline, struct store_lock *lock,
    struct failure *why) __attribute__((warn_unused_result));

#endif
