/*
 * failure - why an operation did not succeed.
 *
 * A function that can fail for reasons outside the program returns bool and
 * takes a `struct failure *why` as its last argument.  It fills *why once, at
 * the place where the cause is known, and returns false:
 *
 *	if (size > limits->max_bytes)
 *		return fail(why, FAIL_UNPROCESSABLE, "original has %zu bytes, limit %zu", ...);
 *
 * Callers pass *why upwards untouched.  A caller that recovers (the next
 * replica, a peer that is down) clears it with failure_clear().
 *
 * The detail is written to the log.  It reaches the client only for the kinds
 * whose cause is the client's own words or the picture itself (see
 * fcgi-app/response.c), so it must never hold a secret or a host name for those.
 */
#ifndef BASE_FAILURE_H
#define BASE_FAILURE_H

#include <stdbool.h>

enum failure_kind {
	FAIL_NONE = 0,
	FAIL_BAD_REQUEST,	/* 400: malformed path, unknown operation, value out of range */
	FAIL_FORBIDDEN,		/* 403: signature or policy says no */
	FAIL_NOT_FOUND,		/* 404: no such asset, or its object is gone */
	FAIL_METHOD,		/* 405: neither GET nor HEAD */
	FAIL_GONE,		/* 410: token expired, asset taken down */
	FAIL_UNSUPPORTED,	/* 415: the bytes are no image we decode */
	FAIL_UNPROCESSABLE,	/* 422: image damaged, or over a limit */
	FAIL_CRASHED,		/* 422: the renderer died of this image, or of something else meanwhile */
	FAIL_BUSY,		/* 503: the slow path is full */
	FAIL_UNAVAILABLE,	/* 503: a dependency is down and nothing can stand in */
	FAIL_UPSTREAM,		/* 502: a dependency answered wrongly */
	FAIL_TIMEOUT,		/* 504: a dependency or the renderer answered too late */
	FAIL_INTERNAL,		/* 500: this machine failed us: disk, memory, descriptors */
	FAIL_ABANDONED,		/* 499: the client has gone, and nobody else waits for the answer */
	FAIL_KIND_COUNT
};

enum { FAILURE_DETAIL_MAX = 256 };

struct failure {
	enum failure_kind kind;
	char detail[FAILURE_DETAIL_MAX];
};

/* Fills *why and returns false.  The first cause is the one we keep: calling
 * it on a filled *why is a bug. */
bool fail(struct failure *why, enum failure_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void failure_clear(struct failure *why);

/* Short lower-case word for logs, metrics and the job protocol: "bad-request". */
const char *failure_kind_name(enum failure_kind kind);

/* FAIL_NONE when the word is unknown. */
enum failure_kind failure_kind_find(const char *name);

#endif
