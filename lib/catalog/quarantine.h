/*
 * quarantine - assets whose originals end renderers, known to all servers.
 *
 * Each time an original has killed a renderer, or kept it until its timer killed
 * it, that is counted in the ring under the asset's id and version.  An asset with
 * QUARANTINE_DEATHS of them is left alone for QUARANTINE_S since the last one;
 * a new version of the asset has a clean record, and so has one that is released.
 * Without a ring nothing is remembered.
 */
#ifndef CATALOG_QUARANTINE_H
#define CATALOG_QUARANTINE_H

#include "asset/asset.h"
#include "base/arena.h"
#include "base/failure.h"
#include "base/text.h"
#include "peers/peers.h"

#include <stdbool.h>

enum { QUARANTINE_DEATHS = 3, QUARANTINE_S = 3600, QUARANTINE_REASON_MAX = 160 };

struct quarantine {
	unsigned deaths;
	char reason[QUARANTINE_REASON_MAX + 1];	/* of the last one */
};

/*
 * As the ring keeps it: "2 the renderer died of this image".  Printing writes a reason's
 * unprintable characters as "?", so that everything parses; more than nine deaths are
 * nine.  Parsing gives false for what was not printed so.
 */
enum { QUARANTINE_PRINTED_MAX = 2 + QUARANTINE_REASON_MAX };
void quarantine_print(const struct quarantine *quarantine, struct text *out);
bool quarantine_parse(struct span text, struct quarantine *quarantine) __attribute__((warn_unused_result));

/* All zeros when nothing is known. */
void quarantine_find(struct peers *peers, const struct asset *asset, struct quarantine *quarantine);

/* Counts one more.  Two servers at the same moment may count as one. */
void quarantine_count(struct peers *peers, const struct asset *asset, const char *reason);

/* PEER_HIT when there was something to forget. */
enum peer_answer quarantine_release(struct peers *peers, const struct asset *asset);

/* FAIL_CRASHED, with the reason, for an asset in quarantine. */
bool quarantine_permits(const struct quarantine *quarantine, struct failure *why) __attribute__((warn_unused_result));

#endif
