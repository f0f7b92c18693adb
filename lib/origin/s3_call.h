/*
 * s3_call - one operation on S3, in as many tries as it needs.
 *
 * A try is: sign, send, judge the answer (s3_error.h).  After it comes another
 * with jitter on a new connection where that can help, inside the deadline and
 * the process' budget (backoff.h).  Three things are put right once in an
 * operation, without waiting, and remembered in the handle: a wrong region, a
 * clock that is off, and credentials that were renewed in their file.
 */
#ifndef ORIGIN_S3_CALL_H
#define ORIGIN_S3_CALL_H

#include "origin/http_client.h"
#include "origin/s3.h"

const struct origin_config *s3_config(const struct s3 *s3);

/* Unix seconds, as the server counts them. */
int64_t s3_time(const struct s3 *s3);

/* The same for all tries. */
struct s3_call {
	enum http_method method;
	struct span key;		/* with the prefix; empty for the bucket */
	const char *query;		/* see s3_request.h */
	const char *payload_hash;
	const char *extra_header;	/* unsigned, or NULL */
	int body_fd, sink_fd;		/* as in http_client.h; -1 when there is none */
	uint64_t body_bytes, max_bytes;
	unsigned tries;
};

/* Without query, body, sink and extra header; answers fit into memory. */
struct s3_call s3_call_for(const struct s3 *s3, enum http_method method, struct span key);

/* True with the answer to a request that succeeded: status 200, complete.
 * The response lives in the arena. */
bool s3_call_run(struct s3 *s3, const struct s3_call *call, struct deadline deadline,
    struct arena *arena, struct http_response *response, struct failure *why)
    __attribute__((warn_unused_result));

/* Without its quotes; "" for what is too long or not printable ASCII: it is
 * opaque to us, but goes into a database and into logs. */
void s3_etag_copy(struct span etag, char out[ASSET_ETAG_MAX + 1]);

#endif
