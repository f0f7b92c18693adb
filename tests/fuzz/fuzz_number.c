/*
 * fuzz_number - numbers in texts.  What is read prints a text that reads as the
 * same number; no number has two meanings for two readers.
 */
#include "base/check.h"
#include "base/text.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_whole(struct span text)
{
	uint64_t natural = 0;
	int64_t whole = 0;
	double decimal = 0;

	if (span_to_u64(text, 0, INT64_MAX, &natural)) {
		CHECK(span_to_i64(text, 0, INT64_MAX, &whole) && (uint64_t)whole == natural);
		CHECK(!span_to_u64(text, natural + 1, UINT64_MAX, &natural));
	}
	if (span_to_i64(text, -999999999, 999999999, &whole) && span_to_double(text, -1e9, 1e9, &decimal))
		CHECK(decimal == (double)whole);
}

static void
check_decimal(struct span text, struct arena *arena)
{
	double value, again;
	struct text printed;

	/* What is more would be rounded to ten digits, which nobody reads. */
	if (!span_to_double(text, -999999999, 999999999, &value))
		return;
	text_init(&printed, arena, 32);
	text_add_double(&printed, value);
	CHECK(!printed.was_cut && span_to_double(text_span(&printed), -1e9, 1e9, &again));
	/* Six decimals are printed, of 18 digits that were read. */
	CHECK(fabs(again - value) <= 0.5e-6 + 1e-15 * fabs(value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span text = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();

	check_whole(text);
	check_decimal(text, arena);
	arena_free(arena);
	return 0;
}
