/*
 * untold - ids of rows that were written while the peer that keeps their entries
 * in the ring did not answer, to be told to it later.
 *
 * There are normally none, and an importer may have millions while a peer is down: what
 * is beyond UNTOLD_MAX is counted and not told.
 */
#ifndef CATALOG_UNTOLD_H
#define CATALOG_UNTOLD_H

#include "base/deadline.h"
#include "base/text.h"

#include <stdbool.h>

enum { UNTOLD_MAX = 1000 };

struct untold;

/* *untold is NULL at first, and the caller's to free(). */
void untold_add(struct untold **untold, struct span id);

/* Calls tell() for each of them until it has returned true, or the deadline has passed.
 * Returns how many are left; 0 at once for NULL. */
unsigned untold_tell(struct untold *untold, bool (*tell)(void *state, struct span id, struct deadline deadline),
    void *state, struct deadline deadline);

#endif
