/*
 * asset_ring - the catalog's memory in the ring of peers.
 *
 * The ring holds one entry for an id: its row, or that nobody has it.  Servers
 * read, refresh and write entries at the same time without talking to each
 * other; these rules keep an old row from displacing a newer one:
 *
 *   - what a reader fetched where nothing was remembered is only added, so it
 *     never displaces what a writer has put there meanwhile;
 *   - a writer, and a reader who refreshes, look at the entry first and leave a
 *     newer one alone; and a writer leaves its row behind rather than nothing, so that
 *     a lagging replica's row cannot be added;
 *   - a peer that does not answer cannot be told of a purge, and has the old row when it
 *     answers again.  So an entry that was written before its peer last failed, as this
 *     machine saw it, is doubtful: the database is asked, and the entry replaced.
 *
 * BUGS: looking and putting are two commands.  A purge whose put falls in
 * between, on another server, is displaced by the older row until that one's soft
 * lifetime ends.  The same holds when memcached evicts the new entry, or was not there to
 * take it, and the replicas lag.  A machine that asked nothing of a peer while it did not
 * answer has no doubts about it.
 */
#ifndef CATALOG_ASSET_RING_H
#define CATALOG_ASSET_RING_H

#include "catalog/catalog.h"
#include "catalog/ring_entry.h"

struct asset_ring {
	struct peers *peers;
	unsigned soft_lifetime_s, hard_lifetime_s, negative_lifetime_s;
};

enum ring_answer {
	RING_NOTHING,	/* not remembered, or nobody answers */
	RING_MISSING,	/* remembered that nobody has it */
	RING_FRESH,
	RING_STALE,	/* good to be used, due to be refreshed */
	RING_DOUBTFUL	/* a row, or that nobody has it: only to be used if nobody knows better */
};

enum ring_answer asset_ring_find(struct asset_ring *ring, struct span id, struct arena *arena,
    struct ring_entry *entry);

/* Whether the caller shall refresh this stale entry: one process at a time,
 * which calls asset_ring_end_refresh() if it succeeds.  One that fails keeps
 * the others off the database for REFRESH_LEASE_S. */
enum { REFRESH_LEASE_S = 10 };
bool asset_ring_begin_refresh(struct asset_ring *ring, struct span id);
void asset_ring_end_refresh(struct asset_ring *ring, struct span id);

/* A reader found the row, or nothing, where the ring had nothing. */
void asset_ring_add(struct asset_ring *ring, const struct asset *asset, struct arena *arena);
void asset_ring_add_missing(struct asset_ring *ring, struct span id, struct arena *arena);

/* A writer wrote the row, or a reader refreshed an entry of version `replaced`
 * (writers: 0).  If it cannot be stored the old one is removed.  False when the peer
 * that keeps it does not answer: an older row may lie there. */
bool asset_ring_replace(struct asset_ring *ring, const struct asset *asset, uint64_t replaced,
    struct arena *arena);

/* False when the peer that keeps it does not answer. */
bool asset_ring_forget(struct asset_ring *ring, struct span id);

#endif
