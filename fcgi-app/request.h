/*
 * request - one request on its way from left to right, and what is noted of
 * it for the access log.
 *
 * Everything a request owns lives in its arena and ends with it.  The notes
 * are written by the steps as they learn something and read once, at the end,
 * by access_log.c and metrics.c.
 */
#ifndef FCGI_APP_REQUEST_H
#define FCGI_APP_REQUEST_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/failure.h"
#include "base/text.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* Which tier answered, from the cheapest to the dearest. */
enum request_tier {
	TIER_NONE,		/* no picture: an error, /health, /metrics */
	TIER_CONDITIONAL,	/* 304, or HEAD from the row alone */
	TIER_INFO,		/* info.json, from the row alone */
	TIER_STORE,		/* the file was on this server's disk */
	TIER_JOINED,		/* another request made it while we waited */
	TIER_NEIGHBOUR,		/* another server had made it, or did while we waited */
	TIER_FETCHED,		/* the original, from its origin */
	TIER_RENDERED,		/* made now */
	TIER_COUNT
};

const char *request_tier_name(enum request_tier tier);

enum request_step {
	STEP_CATALOG,		/* looking up the row */
	STEP_WAIT,		/* for a place in the slow path, or for somebody else's result */
	STEP_ORIGIN,
	STEP_RENDER,
	STEP_STORE,		/* finding and committing files */
	STEP_SEND,
	STEP_COUNT
};

const char *request_step_name(enum request_step step);

/* Fields of the request on which an answer may depend. */
enum request_field {
	FIELD_ACCEPT,
	FIELD_SAVE_DATA,
	FIELD_SEC_CH_WIDTH,
	FIELD_WIDTH,
	FIELD_SEC_CH_DPR,
	FIELD_DPR,
	FIELD_COUNT
};

struct request {
	struct arena *arena;
	struct deadline deadline;
	int64_t started_us;

	const char *id;			/* from X-Request-Id, or made here */
	struct span method;
	bool is_head;
	struct span target;		/* raw, as the client wrote it */
	struct span query;		/* of the target, without "?" */
	struct span fields[FIELD_COUNT];	/* read with request_look_at() */
	bool looked_at[FIELD_COUNT];
	struct span if_none_match;
	struct span if_match;
	bool needs_body;		/* the web server could not send the file: see nginx-conf/ */
	bool has_precondition;		/* If-Match, If-Range, If-Unmodified-Since: see response_file() */
	struct span remote_address;
	struct pollfd ends[2];		/* see request_client_is_gone(); those that are not used are -1 */

	struct span secret;		/* the part of the target that is not written to the log */

	bool is_in_memory;		/* the disk takes nothing, and nothing is kept of this: draft.h */

	const struct key *original_in_flight;	/* the original that this request is fetching, for all who want it */
	const struct key *mezzanine_in_flight;	/* what it will leave for others: mezzanine.h */

	bool leaves_work;		/* for when it has been answered and its connection has ended */
	const struct wish *later;	/* some of that work: see slow_path_make_ahead() */

	/* Notes. */
	const char *asset, *recipe, *variant, *format, *row_tier;
	enum request_tier tier;
	bool is_from_mezzanine;
	int64_t step_us[STEP_COUNT];
};

/* The field's value, empty when it was not sent.  Vary tells what was looked at, and
 * so holds for whatever the answer becomes, also an error. */
struct span request_look_at(struct request *request, enum request_field field);

/* "Accept,Save-Data"; NULL when nothing was looked at. */
const char *request_vary(const struct request *request);

/* The web server has hung up, which it does when its client has; what is made ahead is in the way
 * of others.  One system call. */
bool request_client_is_gone(const struct request *request);

/* Adds the time since *from_us to the step and sets *from_us to now. */
void request_note_step(struct request *request, enum request_step step, int64_t *from_us);

#endif
