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

/* What is known of an asset: nothing, its row, or that the catalog has none. */
enum knowledge { NOTHING_KNOWN, ROW_KNOWN, MISSING_KNOWN };

struct known_row {
	uint64_t checksum;	/* of all that follows */
	int64_t said_us;	/* CLOCK_MONOTONIC */
	uint64_t is_missing;	/* then the asset is nothing but its id */
	struct asset asset;
};

enum { KNOWN_ROW_WORDS = (sizeof(struct known_row) + sizeof(uint64_t) - 1) / sizeof(uint64_t) };

struct known_rows {
	struct {
		_Atomic int64_t asked_us;	/* when somebody last set out to ask the catalog */
		_Atomic uint64_t words[KNOWN_ROW_WORDS];
	} places[KNOWN_ROWS];
};

/* The asset is set when its row is known.  The age is never negative. */
enum knowledge known_rows_find(const struct known_rows *rows, struct span id, struct asset *asset, int64_t *age_us)
    __attribute__((warn_unused_result));

/* What the catalog said when it was asked at said_us.  A higher version that was said later stays. */
void known_rows_put(struct known_rows *rows, const struct asset *asset, int64_t said_us);

/* It said that it has no such asset.  The place is not taken from one that was asked for
 * in the last second: ids can be made up without end. */
void known_rows_put_missing(struct known_rows *rows, struct span id, int64_t said_us);

/* Whether the caller is the one who asks the catalog; others are not, until he releases it
 * or for as long as that may take him.  Who shares the place shares this too. */
bool known_rows_claim(struct known_rows *rows, struct span id, unsigned pause_ms) __attribute__((warn_unused_result));
void known_rows_release(struct known_rows *rows, struct span id);
bool known_rows_is_claimed(const struct known_rows *rows, struct span id);

#endif
