/*
 * asset_search - one row in the databases: a replica, else the primary.
 *
 * The first replica that answers and does not lag is believed when it has the row in
 * the version that is wanted.  Everything else is asked of the primary, and what the
 * primary says is the truth.  One that takes no writes has been demoted, or is being
 * looked after: then its word counts like a replica's.
 *
 * When there is no primary, an old row is better than an error: what a lagging
 * replica has is used, but not to be remembered.
 */
#ifndef CATALOG_ASSET_SEARCH_H
#define CATALOG_ASSET_SEARCH_H

#include "catalog/heartbeat.h"
#include "catalog/servers.h"

struct asset_search {
	struct servers *servers;
	struct heartbeat *heartbeat;
	struct arena *arena;	/* the caller empties it */
};

enum sighting {
	SEEN_ON_REPLICA,
	SEEN_ON_PRIMARY,
	SEEN_LATE,		/* and the primary did not answer, so there may be a newer one */
	MISSING,		/* the primary has no such row */
	MISSING_LATE,		/* and the primary did not answer, so it may be new */
	NOBODY_ANSWERED		/* *why says why */
};

/* at_least: the version that is known to exist, so an older row is none; 0: any.
 * Only the primary may contradict it. */
enum sighting asset_search(struct asset_search *search, struct span id, uint64_t at_least,
    struct deadline deadline, struct asset *asset, struct failure *why) __attribute__((warn_unused_result));

#endif
