#include "fcgi-app/metrics.h"

#include "base/check.h"

#include <inttypes.h>

static const unsigned bucket_limits_us[METRICS_BUCKETS] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

const char *
row_tier_name(enum row_tier tier)
{
	if (tier == ROW_LOCAL)
		return "local";
	return tier == ROW_STALE ? "stale" : catalog_tier_name((enum catalog_tier)(tier - ROW_FROM_CATALOG));
}

void
metrics_count(_Atomic uint64_t *counter, uint64_t amount)
{
	atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

void
metrics_observe(struct histogram *histogram, int64_t us)
{
	unsigned bucket = 0;

	while (bucket < METRICS_BUCKETS && us > bucket_limits_us[bucket])
		bucket++;
	metrics_count(&histogram->buckets[bucket], 1);
	metrics_count(&histogram->sum_us, us > 0 ? (uint64_t)us : 0);
}

void
metrics_note_request(struct metrics *metrics, const struct request *request, unsigned status, uint64_t sent_bytes)
{
	CHECK(status < METRICS_STATUS_MAX);
	metrics_count(&metrics->responses[status], 1);
	metrics_count(&metrics->sent_bytes, sent_bytes);
	metrics_count(&metrics->unkept, request->is_in_memory ? 1 : 0);
	metrics_observe(&metrics->requests[request->tier], monotonic_us() - request->started_us);
	for (unsigned step = 0; step < STEP_COUNT; step++)
		if (request->step_us[step] > 0)
			metrics_observe(&metrics->steps[step], request->step_us[step]);
}

/* ---- printing ------------------------------------------------------------------ */

static uint64_t
value_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
print_family(struct text *out, const char *name, const char *type, const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
print_histogram(struct text *out, const char *name, const char *label, const char *value,
    const struct histogram *histogram)
{
	uint64_t count = 0;

	for (unsigned bucket = 0; bucket <= METRICS_BUCKETS; bucket++) {
		count += value_of(&histogram->buckets[bucket]);
		text_printf(out, "%s_bucket{%s=\"%s\",le=\"", name, label, value);
		if (bucket < METRICS_BUCKETS)
			text_add_double(out, bucket_limits_us[bucket] / 1e6);
		else
			text_add(out, "+Inf");
		text_printf(out, "\"} %" PRIu64 "\n", count);
	}
	text_printf(out, "%s_sum{%s=\"%s\"} ", name, label, value);
	text_add_double(out, (double)value_of(&histogram->sum_us) / 1e6);
	text_printf(out, "\n%s_count{%s=\"%s\"} %" PRIu64 "\n", name, label, value, count);
}

static void
print_by_kind(struct text *out, const char *name, const char *label, const _Atomic uint64_t *counters,
    enum failure_kind first)
{
	for (enum failure_kind kind = first; kind < FAIL_KIND_COUNT; kind++)
		if (kind == first || value_of(&counters[kind]) > 0)
			text_printf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label,
			    kind == FAIL_NONE ? "ok" : failure_kind_name(kind), value_of(&counters[kind]));
}

void
metrics_print(const struct metrics *metrics, struct text *out)
{
	print_family(out, "vitrine_responses_total", "counter", "Responses by HTTP status.");
	for (unsigned status = 0; status < METRICS_STATUS_MAX; status++)
		if (status == 200 || value_of(&metrics->responses[status]) > 0)
			text_printf(out, "vitrine_responses_total{status=\"%u\"} %" PRIu64 "\n", status,
			    value_of(&metrics->responses[status]));
	print_family(out, "vitrine_failures_total", "counter", "Failed requests by kind.");
	print_by_kind(out, "vitrine_failures_total", "kind", metrics->failures, FAIL_BAD_REQUEST);
	print_family(out, "vitrine_sent_bytes_total", "counter", "Body bytes, also those the web server sent for us.");
	text_printf(out, "vitrine_sent_bytes_total %" PRIu64 "\n", value_of(&metrics->sent_bytes));
	print_family(out, "vitrine_catalog_answers_total", "counter", "Rows found, by where they were found.");
	for (enum row_tier tier = 0; tier < ROW_TIER_COUNT; tier++)
		text_printf(out, "vitrine_catalog_answers_total{tier=\"%s\"} %" PRIu64 "\n", row_tier_name(tier),
		    value_of(&metrics->rows[tier]));
	print_family(out, "vitrine_renders_total", "counter", "Jobs given to renderers, by result.");
	print_by_kind(out, "vitrine_renders_total", "result", metrics->renders, FAIL_NONE);
	print_family(out, "vitrine_mezzanines_left_total", "counter",
	    "Originals stored once more for small sizes.");
	text_printf(out, "vitrine_mezzanines_left_total %" PRIu64 "\n", value_of(&metrics->mezzanines_left));
	print_family(out, "vitrine_mezzanines_used_total", "counter", "Variants that were made from one of them.");
	text_printf(out, "vitrine_mezzanines_used_total %" PRIu64 "\n", value_of(&metrics->mezzanines_used));
	print_family(out, "vitrine_made_ahead_total", "counter", "Variants that nobody waited for, by result.");
	print_by_kind(out, "vitrine_made_ahead_total", "result", metrics->made_ahead, FAIL_NONE);
	print_family(out, "vitrine_origin_fetches_total", "counter", "Originals fetched, by result.");
	print_by_kind(out, "vitrine_origin_fetches_total", "result", metrics->origin_fetches, FAIL_NONE);
	print_family(out, "vitrine_origin_bytes_total", "counter", "Bytes of originals fetched.");
	text_printf(out, "vitrine_origin_bytes_total %" PRIu64 "\n", value_of(&metrics->origin_bytes));
	print_family(out, "vitrine_origin_fallbacks_total", "counter", "Originals that came from a fallback.");
	text_printf(out, "vitrine_origin_fallbacks_total %" PRIu64 "\n", value_of(&metrics->origin_fallbacks));
	print_family(out, "vitrine_unkept_total", "counter", "Requests whose new files the disk did not take.");
	text_printf(out, "vitrine_unkept_total %" PRIu64 "\n", value_of(&metrics->unkept));
	print_family(out, "vitrine_request_duration_seconds", "histogram",
	    "Time of a request, by the tier that answered.");
	for (unsigned tier = 0; tier < TIER_COUNT; tier++)
		print_histogram(out, "vitrine_request_duration_seconds", "tier", request_tier_name(tier),
		    &metrics->requests[tier]);
	print_family(out, "vitrine_step_duration_seconds", "histogram", "Time of one step of a request.");
	for (unsigned step = 0; step < STEP_COUNT; step++)
		print_histogram(out, "vitrine_step_duration_seconds", "step", request_step_name(step),
		    &metrics->steps[step]);
}
