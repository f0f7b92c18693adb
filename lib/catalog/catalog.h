/*
 * catalog - the assets, in MySQL, as every server sees them.
 *
 * Reading one asset: the memcached ring, then a replica that is well and does not
 * lag, then, if no replica has it or can be reached, the primary, once.  So a row that was just
 * written is visible at once (read your own writes), and an id that nobody has
 * is remembered as missing for negative_lifetime_s.  Writers (insert, update,
 * set, purge) go to the primary and then replace or delete the ring's entry, as soon as
 * the peer that keeps it answers: catalog_tell_ring().  Versions are
 * microseconds of the clock and never repeat (sql/0001-asset.sql).  How lags are
 * found: heartbeat.h.
 *
 * A server that failed leaves the rotation for retry_after_ms, and then one
 * request tries it again: with health in shared memory, one of all processes.
 * So no request waits on a dead one twice.  Connections are opened when first
 * needed and replaced after a maximum age; one struct catalog per process,
 * after fork.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "asset/asset.h"
#include "base/arena.h"
#include "base/breaker.h"
#include "base/deadline.h"
#include "base/failure.h"
#include "catalog/database.h"
#include "peers/peers.h"

enum { CATALOG_REPLICAS_MAX = 16 };

/* What the processes of a machine know of the servers.  It starts as zeros, may
 * lie in memory that they share, and outlives the catalogs that use it. */
struct catalog_health {
	struct breaker primary, replicas[CATALOG_REPLICAS_MAX];	/* open: does not answer */
	struct breaker lagging[CATALOG_REPLICAS_MAX];	/* open: answers with what was */
	struct breaker beat;				/* open: somebody looks after the heartbeat */
	_Atomic int64_t newest_beat_us;
	_Atomic bool has_complained;			/* that the heartbeat cannot be written */
};

struct catalog_config {
	struct database_config primary;
	struct database_config replicas[CATALOG_REPLICAS_MAX];
	unsigned replica_count;
	struct catalog_health *health;	/* NULL: the catalog has its own */
	unsigned retry_after_ms;	/* a failed server is left alone for this long */
	unsigned max_lag_s;		/* a replica further behind is not believed; 0: do not look */
	unsigned connection_age_s;	/* connections are replaced after this, +- 20 % */
	unsigned soft_lifetime_s;	/* ring entries older than this are refreshed by one process */
	unsigned hard_lifetime_s;	/* ring entries vanish after this */
	unsigned negative_lifetime_s;	/* a missing id is remembered this long, 10 to 60 */
};

/* Which tier answered. */
enum catalog_tier {
	CATALOG_PEER,
	CATALOG_REPLICA,
	CATALOG_PRIMARY,
	CATALOG_LATE,		/* a replica that lags, or a doubtful entry of the ring (asset_ring.h), for
				 * want of a better one: nothing to remember */
	CATALOG_TIER_COUNT
};

const char *catalog_tier_name(enum catalog_tier tier);

struct catalog;

/* Cannot fail: connects lazily.  peers may not be NULL and outlives the catalog;
 * the configuration is copied, its strings are not. */
struct catalog *catalog_open(const struct catalog_config *config, struct peers *peers);
void catalog_close(struct catalog *catalog);

/*
 * seen_version is that of a row that the caller has served already, or 0: the ring
 * and the replicas are not believed when they have an older one or none.  What
 * the primary says is the truth, also when it is older: a restored backup.
 *
 * FAIL_NOT_FOUND, also for what is no id; FAIL_UNAVAILABLE when neither a replica
 * nor the primary answered in time, or with what was seen, and the ring had nothing;
 * FAIL_UPSTREAM for a row that breaks the rules of asset.h.
 */
bool catalog_find(struct catalog *catalog, struct span id, uint64_t seen_version, struct deadline deadline,
    struct asset *asset, enum catalog_tier *tier, struct failure *why)
    __attribute__((warn_unused_result));

/* From the primary only, past the ring: for the admin program and writers. */
bool catalog_find_fresh(struct catalog *catalog, struct span id, struct deadline deadline,
    struct asset *asset, struct failure *why) __attribute__((warn_unused_result));

/* The asset stored for this origin and object key; FAIL_NOT_FOUND. */
bool catalog_find_by_key(struct catalog *catalog, struct span origin, struct span key,
    struct deadline deadline, struct asset *asset, struct failure *why)
    __attribute__((warn_unused_result));

/* Inserts the row; FAIL_BAD_REQUEST with "duplicate" in the detail when the id
 * or the origin and key exist. version, created and updated are set by the
 * database and returned in *asset. */
bool catalog_insert(struct catalog *catalog, struct asset *asset, struct deadline deadline,
    struct failure *why) __attribute__((warn_unused_result));

/* Replaces what describes the object (bytes, etag, media, width, height, frames,
 * orientation, alpha, progressive, and how it looks) of the row with asset->id and
 * bumps its version.  *asset becomes the whole row as it is now.  FAIL_NOT_FOUND. */
bool catalog_update(struct catalog *catalog, struct asset *asset, struct deadline deadline,
    struct failure *why) __attribute__((warn_unused_result));

/* What is decided about an asset and not found in its object. */
enum asset_field {
	ASSET_VISIBILITY = 1 << 0,
	ASSET_FOCUS = 1 << 1,
	ASSET_WATERMARK = 1 << 2,
	ASSET_CREDIT = 1 << 3,
	ASSET_CREDIT_IS_IMPOSED = 1 << 4,
	ASSET_OWNER = 1 << 5,
	ASSET_EXPIRES = 1 << 6
};

/* Replaces these fields (enum asset_field, any number of them) of the row with
 * asset->id, leaves the others as they are, and bumps its version: variants
 * made before may show what is no longer allowed.  *asset becomes the whole row
 * as it is now.  FAIL_NOT_FOUND. */
bool catalog_set(struct catalog *catalog, struct asset *asset, unsigned fields, struct deadline deadline,
    struct failure *why) __attribute__((warn_unused_result));

/* Bumps the version, so that every variant on every server is stale, and
 * returns the new one.  The etag is forgotten: whoever purges may have replaced
 * the object, and whatever the origin has now is right.  FAIL_NOT_FOUND. */
bool catalog_purge(struct catalog *catalog, struct span id, struct deadline deadline,
    uint64_t *version, struct failure *why) __attribute__((warn_unused_result));

/* For writers, before they end.  A row that was written while the peer that keeps its entry did
 * not answer is in the database, and that is what counts; but servers that have not noticed
 * go on with the old entry for soft_lifetime_s.  Tries to tell them until the deadline, and
 * returns how many rows are left; at once, with 0, when there are none. */
unsigned catalog_tell_ring(struct catalog *catalog, struct deadline deadline);

/* All assets in order of id, read in pages from a replica, else the primary, so
 * that millions are no burden.  each() returning false stops; it may use the catalog. */
bool catalog_list(struct catalog *catalog, struct span after_id, struct deadline deadline,
    bool (*each)(void *state, const struct asset *asset), void *state, struct failure *why)
    __attribute__((warn_unused_result));

/* For /health and /metrics: which servers answer a trivial query now.
 * index -1 is the primary.  `takes_writes` tells a primary from a demoted one. */
struct catalog_server_state {
	bool answers;
	bool takes_writes;
	bool is_left_alone;	/* it failed, and has not answered since */
	bool is_lagging;	/* out of the rotation because it is too far behind */
};
void catalog_probe(struct catalog *catalog, int index, struct deadline deadline,
    struct catalog_server_state *state);

/* What the operator should know and no answer tells, for the log: true once on each
 * machine, until it works again and fails once more. */
bool catalog_take_complaint(struct catalog *catalog, struct failure *complaint);

#endif
