/*
 * metrics - counters that all responders of this server share.
 *
 * They lie in shared memory (shared.h), where a process may die in the middle of
 * anything: each counter is one atomic addition.
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

/* Where a row was found. */
enum row_tier {
	ROW_LOCAL,		/* this server asked for it a moment ago */
	ROW_STALE,		/* what was last known, because the catalog did not answer */
	ROW_FROM_CATALOG,	/* + enum catalog_tier */
	ROW_TIER_COUNT = ROW_FROM_CATALOG + CATALOG_TIER_COUNT
};

const char *row_tier_name(enum row_tier tier);

struct histogram {
	_Atomic uint64_t buckets[METRICS_BUCKETS + 1];	/* the last one is beyond all limits */
	_Atomic uint64_t sum_us;
};

struct metrics {
	_Atomic uint64_t responses[METRICS_STATUS_MAX];	/* by status */
	_Atomic uint64_t failures[FAIL_KIND_COUNT];
	_Atomic uint64_t sent_bytes;
	_Atomic uint64_t rows[ROW_TIER_COUNT];
	_Atomic uint64_t renders[FAIL_KIND_COUNT];	/* FAIL_NONE: succeeded */
	_Atomic uint64_t made_ahead[FAIL_KIND_COUNT];
	_Atomic int64_t renderer_answered_us;		/* CLOCK_MONOTONIC, when one last did */
	_Atomic uint64_t mezzanines_left, mezzanines_used;
	_Atomic uint64_t origin_fetches[FAIL_KIND_COUNT];
	_Atomic uint64_t origin_bytes;
	_Atomic uint64_t origin_fallbacks;
	_Atomic uint64_t unkept;	/* requests whose new files the disk did not take */
	struct histogram requests[TIER_COUNT];
	struct histogram steps[STEP_COUNT];
};

void metrics_count(_Atomic uint64_t *counter, uint64_t amount);
void metrics_observe(struct histogram *histogram, int64_t us);

/* At the end of a request. */
void metrics_note_request(struct metrics *metrics, const struct request *request, unsigned status,
    uint64_t sent_bytes);

/* Prometheus text format 0.0.4. */
void metrics_print(const struct metrics *metrics, struct text *out);

#endif
