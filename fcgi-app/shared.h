/*
 * shared - what all responders of this server share in memory: counters, and
 * which of the servers that we depend on have failed; and, apart from these, what
 * makes hits cheap.
 *
 * It lies in a file in the store's folder that every process maps, so it is the
 * same whichever way the processes were started, and survives all of them.  A
 * process may die in the middle of anything: everything here is single atomic
 * numbers.  When the file cannot be mapped, the process is alone with its copy
 * and serving goes on.
 */
#ifndef FCGI_APP_SHARED_H
#define FCGI_APP_SHARED_H

#include "base/breaker.h"
#include "catalog/catalog.h"
#include "fcgi-app/duty.h"
#include "fcgi-app/known_rows.h"
#include "fcgi-app/metrics.h"
#include "origin/health.h"
#include "peers/peers.h"
#include "settings/settings.h"
#include "store/bell.h"
#include "store/verified.h"

/* By their places in the configuration.  After a reload with another one a pause may
 * count for the wrong server, once. */
struct shared {
	struct metrics metrics;
	struct catalog_health catalog;
	struct breaker peers[PEERS_MAX];
	struct origin_health origins[SETTINGS_ORIGINS_MAX];
	struct breaker refresh;		/* asking anew for rows that are merely old: find_asset.h */
	struct store_bells bells;	/* who waits for a file is woken, whichever way the maker was started */
};

/* Never fails: see above. */
struct shared *shared_open(const char *store_root);
void shared_close(struct shared *shared);

/* Shared by those who are forked after it was made, and gone with them: in memory alone, because
 * it changes all the time.  Whoever has no such parent has one of his own. */
struct shortcuts {
	struct known_rows rows;
	struct store_verified verified;
	struct roster roster;
};

struct shortcuts *shortcuts_new(void);

#endif
