/*
 * known_rows - what the catalog last said of the assets that are asked for now, in memory
 * that all responders of a server share.
 *
 * A cache, and not the truth: each asset has one place, which it shares with others, and what
 * is not found here is looked for elsewhere (find_asset.h).  There are no locks: a row is copied
 * out and then compared with its checksum, so one that is being written, or whose writer died,
 * or that two wrote at once, is not there.  All zeros is empty.
 */
#ifndef FCGI_APP_KNOWN_ROWS_H
#define FCGI_APP_KNOWN_ROWS_H

#include "asset/asset.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of 3.4 kB each; memory is taken by those that were in use. */
enum { KNOWN_ROWS = 2048 };

struct known_row {
	uint64_t checksum;	/* of all that follows */
	int64_t said_us;	/* CLOCK_MONOTONIC */
	struct asset asset;
};

enum { KNOWN_ROW_WORDS = (sizeof(struct known_row) + sizeof(uint64_t) - 1) / sizeof(uint64_t) };

struct known_rows {
	struct {
		_Atomic int64_t asked_us;	/* when somebody last set out to ask the catalog */
		_Atomic uint64_t words[KNOWN_ROW_WORDS];
	} places[KNOWN_ROWS];
};

/* False when it is not there.  The age is never negative. */
bool known_rows_find(const struct known_rows *rows, struct span id, struct asset *asset, int64_t *age_us)
    __attribute__((warn_unused_result));

/* What the catalog said when it was asked at said_us.  A higher version that was said later stays. */
void known_rows_put(struct known_rows *rows, const struct asset *asset, int64_t said_us);

/* The catalog knows no such asset. */
void known_rows_forget(struct known_rows *rows, struct span id);

/* Whether the caller is the one who asks the catalog anew; others are not, for as long as
 * that may take him. */
bool known_rows_claim(struct known_rows *rows, struct span id, unsigned pause_ms) __attribute__((warn_unused_result));

#endif
