/*
 * origin - where originals are kept: an S3 bucket, or a directory.
 *
 * Bytes go from the origin into a descriptor and never through memory as a
 * whole.  What arrives is complete (length as announced) and what was stored (as
 * far as S3 tells a checksum: s3_body.h) or it is a failure; the descriptor then
 * holds rubbish and must be thrown away.  Failed attempts
 * are repeated with jitter inside the deadline, where repeating can help.
 *
 * An origin may have a fallback: another one with the same keys, such as the
 * bucket that it is copied to.  What cannot be fetched from the first is fetched
 * from it; everything else is between the caller and the first alone.
 *
 * One handle per process and origin, opened after fork; it keeps its connection.
 * The process ignores SIGPIPE.
 *
 * S3: without the right to list the bucket, a missing key is AccessDenied, which
 * is FAIL_UPSTREAM like any wrong permission; grant s3:ListBucket.  A 404 that
 * does not say NoSuchKey is FAIL_UPSTREAM too: it may come from a proxy.
 * Directory: symbolic links are followed while they stay below the root.
 */
#ifndef ORIGIN_ORIGIN_H
#define ORIGIN_ORIGIN_H

#include "asset/asset.h"
#include "base/arena.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/failure.h"
#include "base/text.h"
#include "origin/health.h"

#include <stdbool.h>
#include <stdint.h>

enum origin_kind { ORIGIN_S3, ORIGIN_DIRECTORY };

struct origin_config {
	const char *name;		/* as in asset.origin */
	enum origin_kind kind;
	uint64_t max_bytes;		/* larger objects are refused: FAIL_UNPROCESSABLE */

	const char *root;		/* directory: absolute path; nothing outside is ever opened */

	const char *endpoint;		/* S3: "https://s3.eu-central-1.amazonaws.com", no path */
	const char *region;
	const char *bucket;
	bool is_path_style;		/* endpoint/bucket/key instead of bucket.endpoint/key */
	const char *prefix;		/* put before every key; may be "" */
	const char *access_key_id;	/* "": see credentials.h for where we look then */
	const char *secret_access_key;
	const char *session_token;
	const char *profile;		/* of the shared credentials file; "" for AWS_PROFILE or "default" */
	const char *tls_ca;		/* path; "" for the system's */
	unsigned connect_timeout_ms;
	unsigned stall_timeout_ms;	/* less than 1 kB/s, or silent, for this long: dead */
	unsigned tries;			/* 1 to 5 */
	bool etag_is_md5;		/* what looks like one is compared with the bytes */
	unsigned retry_after_ms;	/* an origin in bad health is left alone for so long */
	struct origin_health *health;	/* in shared memory; NULL: nobody watches */

	const char *fallback_name;	/* in the settings; "" for none */
	const struct origin_config *fallback;	/* it; NULL for none.  Goes in no circle. */
};

struct origin_object {
	uint64_t bytes;
	char etag[ASSET_ETAG_MAX + 1];	/* without quotes; directories make one of mtime and size */
	int64_t modified;		/* Unix seconds */
	bool is_from_fallback;
	char md5[MD5_HEX + 1];		/* of what a fallback gave, whose etag may differ for the same bytes; or "" */
};

struct origin;

/* FAIL_INTERNAL for what the configuration got wrong: a root that is no
 * directory, a malformed endpoint, no credentials anywhere. */
struct origin *origin_open(const struct origin_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void origin_close(struct origin *origin);

/* Writes the object to the file `fd`, which can be read too, from offset 0.  FAIL_NOT_FOUND (no such
 * key), FAIL_UPSTREAM (wrong credentials, no such bucket, nonsense, cut off),
 * FAIL_TIMEOUT, FAIL_UNAVAILABLE (cannot connect, 503), FAIL_UNPROCESSABLE
 * (over max_bytes), FAIL_INTERNAL (cannot write to fd).  A key that no object
 * can have (empty, too long, leading out of the root) is FAIL_NOT_FOUND.
 *
 * With a fallback the origin has half of the time that is left, and the fallback
 * is asked for what is FAIL_UPSTREAM, FAIL_TIMEOUT or FAIL_UNAVAILABLE.  When it
 * fails too the failure is that of the first: a copy that lags must not say that
 * an object is missing. */
bool origin_fetch(struct origin *origin, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why) __attribute__((warn_unused_result));

/* What is known of the object without its bytes. */
bool origin_stat(struct origin *origin, const char *key, struct deadline deadline,
    struct origin_object *object, struct failure *why) __attribute__((warn_unused_result));

/* Stores the whole file `fd`, from offset 0, under the key.  A directory
 * origin writes to a temporary name first.  FAIL_BAD_REQUEST for a key or media
 * type that cannot be stored: in a directory also empty and hidden path parts. */
bool origin_put(struct origin *origin, const char *key, int fd, const char *content_type,
    struct deadline deadline, struct origin_object *object, struct failure *why)
    __attribute__((warn_unused_result));

/* All keys beginning with prefix, in order; hidden files, and what cannot be a
 * key (no UTF-8, over ASSET_KEY_MAX), are left out.  each() returning false stops;
 * it may use the origin. */
bool origin_list(struct origin *origin, const char *prefix, struct deadline deadline,
    bool (*each)(void *state, const char *key, const struct origin_object *object), void *state,
    struct failure *why) __attribute__((warn_unused_result));

/* Whether the origin answers and lets us in: for /health?require=s3.  One try;
 * for S3 it asks for an empty listing, so it needs the right to list. */
bool origin_probe(struct origin *origin, struct deadline deadline, struct failure *why)
    __attribute__((warn_unused_result));

const struct origin_config *origin_config(const struct origin *origin);

#endif
