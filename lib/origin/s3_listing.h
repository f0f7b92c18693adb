/*
 * s3_listing - one page of ListObjectsV2, from XML to values.
 *
 * Strict: an element that is missing, a number that is none, a key that is
 * empty, more entries than S3 ever sends, and the whole page is refused; half
 * a page would look like deleted objects.  Keys are decoded only when the page
 * says that they are encoded (some servers ignore encoding-type=url), and the
 * way S3 encodes them, with "+" for a space.
 */
#ifndef ORIGIN_S3_LISTING_H
#define ORIGIN_S3_LISTING_H

#include "base/arena.h"
#include "base/failure.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	S3_PAGE_ENTRIES_MAX = 1000,	/* S3's own limit */
	S3_PAGE_MAX = 8 * 1024 * 1024,	/* 1000 keys of 1024 encoded bytes have 3.4 MB */
	S3_TOKEN_MAX = 2048		/* of a continuation token; S3's have about 100 */
};

struct s3_entry {
	struct span key;		/* decoded, any bytes; at least one */
	struct span etag;		/* as it came, mostly with quotes */
	uint64_t bytes;
	int64_t modified;
};

struct s3_listing {
	struct s3_entry *entries;
	size_t count;
	bool is_truncated;
	struct span next_token;		/* when is_truncated: not empty */
};

/* All values live in the arena.  FAIL_UPSTREAM on anything unexpected. */
bool s3_listing_parse(struct span xml, struct arena *arena, struct s3_listing *listing,
    struct failure *why) __attribute__((warn_unused_result));

#endif
