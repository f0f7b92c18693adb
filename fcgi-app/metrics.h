/*
 * metrics - counters that all responders of this server share.
 *
 * They live in a file in the store's folder that every process maps, so they
 * are complete whichever way the processes were started, and survive all of
 * them.  A process may die in the middle of anything: each counter is one
 * atomic addition.  When the file cannot be mapped, the process counts for
 * itself alone and serving goes on.
 */
#ifndef FCGI_APP_METRICS_H
#define FCGI_APP_METRICS_H

#include "base/failure.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "fcgi-app/request.h"

#include <stdatomic.h>
#include <stdint.h>

enum { METRICS_BUCKETS = 14, METRICS_STATUS_MAX = 600 };

struct histogram {
	_Atomic uint64_t buckets[METRICS_BUCKETS + 1];	/* the last one is beyond all limits */
	_Atomic uint64_t sum_us;
};

struct metrics {
	_Atomic uint64_t responses[METRICS_STATUS_MAX];	/* by status */
	_Atomic uint64_t failures[FAIL_KIND_COUNT];
	_Atomic uint64_t sent_bytes;
	_Atomic uint64_t catalog_answers[CATALOG_TIER_COUNT];
	_Atomic uint64_t renders[FAIL_KIND_COUNT];	/* FAIL_NONE: succeeded */
	_Atomic int64_t renderer_answered_us;		/* CLOCK_MONOTONIC, when one last did */
	_Atomic uint64_t origin_fetches[FAIL_KIND_COUNT];
	_Atomic uint64_t origin_bytes;
	struct histogram requests[TIER_COUNT];
	struct histogram steps[STEP_COUNT];
};

/* Never fails: see above. */
struct metrics *metrics_open(const char *store_root);
void metrics_close(struct metrics *metrics);

void metrics_count(_Atomic uint64_t *counter, uint64_t amount);
void metrics_observe(struct histogram *histogram, int64_t us);

/* At the end of a request. */
void metrics_note_request(struct metrics *metrics, const struct request *request, unsigned status,
    uint64_t sent_bytes);

/* Prometheus text format 0.0.4. */
void metrics_print(const struct metrics *metrics, struct text *out);

#endif
