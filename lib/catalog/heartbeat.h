/*
 * heartbeat - how far the replicas are behind the primary.
 *
 * The table heartbeat has one row, a clock that only the primary moves and that
 * replication carries.  Each machine moves it when it has not been moved for a
 * second and somebody asks the database; every answer of a replica shows where
 * the clock stood there.  A replica lags when that is more than max_lag_s behind the
 * newest beat that this machine has seen anywhere.
 *
 * Two readings of one clock are compared and never one with the time of day,
 * so:
 *
 *   - the clocks of the machines may differ as they like;
 *   - while the primary is down, or takes no writes, or nobody is allowed to
 *     write the row, it stands still everywhere, and replicas go on serving;
 *   - after an idle night it is as old on a good replica as on the primary.  Writers
 *     move it too, and who moves it reads it first, so that a replica which lost touch
 *     in the night is found out by the first request of the morning.
 *
 * A replica that receives the first beat after a long pause a moment later than
 * another is left out once for a while; that heals by itself.
 *
 * Where the table is missing (before `vitrine migrate`, or when it is not replicated
 * or readable), nothing is known of lags and no replica is left out.  A second costs
 * one small read on the primary for each machine, and the cluster one event of some
 * 200 bytes in the binary log, and only while rows are asked for.
 */
#ifndef CATALOG_HEARTBEAT_H
#define CATALOG_HEARTBEAT_H

#include "catalog/catalog.h"
#include "catalog/servers.h"

#include <stdbool.h>
#include <stdint.h>

enum { HEARTBEAT_EVERY_MS = 1000 };

struct heartbeat {
	struct servers *servers;
	struct catalog_health *health;
	struct arena *arena;
	unsigned max_lag_s;		/* 0: do not look, and do not beat */
	struct failure complaint;	/* why it cannot be written, until somebody takes it */
};

/* Moves the clock when it is due and no other process of the machine does so.
 * Takes at most half of the time that is left; whatever fails is not the caller's failure. */
void heartbeat_keep(struct heartbeat *heartbeat, struct deadline deadline);

/* A replica showed this beat, 0 for none: whether it lags. */
bool heartbeat_is_behind(struct heartbeat *heartbeat, int64_t beaten_us);

#endif
