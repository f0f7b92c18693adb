/*
 * s3_request - where a bucket is, and signed requests to it. Pure.
 */
#ifndef ORIGIN_S3_REQUEST_H
#define ORIGIN_S3_REQUEST_H

#include "base/arena.h"
#include "base/failure.h"
#include "base/text.h"
#include "origin/credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	S3_HOST_MAX = 255,	/* with ":port" */
	S3_BUCKET_MAX = 255,	/* 63 today; buckets from before 2018 may have more */
	S3_REQUEST_HEADERS_MAX = 8
};

/* Where a bucket is reached. */
struct s3_address {
	bool is_https;
	bool is_path_style;
	char host[S3_HOST_MAX + 1];	/* of the endpoint; with ":port" unless it is the scheme's own */
	char bucket[S3_BUCKET_MAX + 1];
};

/* From "https://host[:port]": lower-case scheme, no path, no user, no query.
 * FAIL_INTERNAL on a malformed endpoint or bucket name. */
bool s3_address_parse(const char *endpoint, const char *bucket, bool is_path_style,
    struct s3_address *address, struct failure *why) __attribute__((warn_unused_result));

/* The same endpoint in another region, where its name tells one: a label equal
 * to `from` becomes `to`, "s3.amazonaws.com" gets `to` inserted.  Any other
 * host name stays, and only the signature changes. */
void s3_address_move(struct s3_address *address, const char *from, const char *to);

/* One request before it is signed. */
struct s3_draft {
	const char *method;
	struct span key;		/* raw bytes; empty for the bucket itself */
	const char *query;		/* encoded and sorted, "" for none: s3_query_add() */
	const char *payload_hash;	/* hex of SHA-256 */
	const char *extra_header;	/* unsigned, "range: bytes=0-0", or NULL */
	bool asks_for_checksum;		/* of the object, in the headers of the answer */
	int64_t time;			/* Unix seconds, as the server counts them */
};

/* Ready for http_client. */
struct s3_request {
	const char *url;
	const char *headers[S3_REQUEST_HEADERS_MAX];
	size_t header_count;
};

void s3_request_sign(const struct s3_address *address, const char *region,
    const struct credentials *credentials, const struct s3_draft *draft, struct arena *arena,
    struct s3_request *request);

/* Adds "name=value" to a query; the caller adds in the order of the names. */
void s3_query_add(struct text *query, const char *name, struct span value);

#endif
