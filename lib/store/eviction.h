/*
 * eviction - making room in a part by removing what was not used for long.
 *
 * A round lists hash directories, beginning at a random one, until it has seen
 * a few dozen files, and removes the oldest of them, at most a quarter: an
 * approximation of least-recent use, as Redis does it, with no list of all
 * files anywhere.  What a commit pays is bounded by the number of rounds and
 * does not depend on how many files there are.
 *
 * Listing is dear and removing is not, so the oldest eighth goes at once, also
 * when one file would do, and the next commits find room.  What goes ahead of its
 * need keeps a store of small files at most a 256th below its limit, and a file
 * that is larger than that never goes so.  Beside taking one of 24 that costs
 * 0.1 percentage points of the hits of a Zipf load, of 3.5 that a random choice
 * would cost (40,000 files asked for, room for 8,000).
 *
 * Directories that are listed are also counted (usage.h).
 */
#ifndef STORE_EVICTION_H
#define STORE_EVICTION_H

#include "store/store.h"

#include <stdint.h>

/* Evicts until the part holds at most this many bytes, nothing is left to
 * evict, or the rounds are used up; what is missing then is left to the next
 * commits. */
void eviction_shrink(struct store *store, enum store_part part, uint64_t max_bytes);

/* Evicts when the disk itself is nearly full, whatever the limits say: a store
 * whose drafts fail for want of space would never reach a commit that evicts. */
void eviction_relieve_disk(struct store *store);

/* Counts the files of one directory. */
void eviction_count_bucket(struct store *store, enum store_part part, unsigned bucket);

/* Counts some directories, in turn: one for every fourth commit or so; or, when the usage
 * file is new, as many as bring the whole count to its end after 256 MiB of commits. */
void eviction_count_some(struct store *store, enum store_part part, uint64_t new_bytes);

#endif
