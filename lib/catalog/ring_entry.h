/*
 * ring_entry - what the ring remembers about one asset id, as text.
 *
 *	vitrine-row 2 found WRITTEN_AT FRESH_UNTIL VALID_UNTIL \n  and the asset's printed form
 *	vitrine-row 2 missing WRITTEN_AT FRESH_UNTIL VALID_UNTIL ID \n
 *
 * Times are Unix seconds, because servers share them; their clocks need agree
 * only as closely as the lifetimes matter.  Parsing what was not printed by this
 * version, or for another id, gives false.
 */
#ifndef CATALOG_RING_ENTRY_H
#define CATALOG_RING_ENTRY_H

#include "asset/asset.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { RING_ENTRY_MAX = 16 * 1024 };	/* bytes; the longest asset printed takes less */

struct ring_entry {
	bool is_missing;	/* nobody has this id; the asset holds nothing but it */
	int64_t written_at;	/* may be of another server's clock */
	int64_t fresh_until;	/* then one process asks the database again */
	int64_t valid_until;	/* then nobody may use it */
	struct asset asset;
};

void ring_entry_print(const struct ring_entry *entry, struct text *out);
bool ring_entry_parse(struct span text, struct span id, struct ring_entry *entry)
    __attribute__((warn_unused_result));

#endif
