/*
 * sigv4 - AWS Signature Version 4, the Authorization header of a request to S3.
 *
 * By hand, because libcurl's CURLOPT_AWS_SIGV4 canonicalises differently in
 * every release and wrongly in 7.88 (curl issues 8810, 9717, 14370).  Pure:
 * text in, text out, no clock.  What is signed is exactly what is sent: path
 * and query arrive here encoded and are not normalised, as S3 wants it.
 */
#ifndef ORIGIN_SIGV4_H
#define ORIGIN_SIGV4_H

#include "base/text.h"
#include "origin/credentials.h"

#include <stddef.h>
#include <stdint.h>

enum { SIGV4_HEADERS_MAX = 16, SIGV4_CANONICAL_MAX = 64 * 1024 };

/* SHA-256 of nothing: the payload hash of requests without a body. */
#define SIGV4_EMPTY_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_header {
	const char *name;	/* lower-case */
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path;		/* encoded once: all but A-Za-z0-9-._~ and "/" */
	const char *query;		/* "name=value" pairs, encoded, sorted, joined by "&"; or "" */
	const struct sigv4_header *headers;	/* host and all x-amz-*; in any order */
	size_t header_count;		/* up to SIGV4_HEADERS_MAX, no name twice */
	const char *payload_hash;	/* hex, or "UNSIGNED-PAYLOAD" */
	int64_t time;			/* the moment that x-amz-date tells, Unix seconds */
	const char *region, *service;	/* "eu-central-1", "s3" */
};

/* The value of the Authorization header, made in out->arena.  A request over
 * SIGV4_CANONICAL_MAX is a bug of the caller, who knows limits of its parts. */
void sigv4_sign(const struct sigv4_request *request, const struct credentials *credentials,
    struct text *out);

#endif
