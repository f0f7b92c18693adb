/*
 * fuzz_conditional - lists of entity tags.  A strong match is a weak match too,
 * and a list that is well-formed still is with our own tag added to it.
 */
#include "base/check.h"
#include "http/conditional.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span field = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	struct text longer;
	bool is_star = span_equals(span_trim(field), "*");

	CHECK(!conditional_match_hits(field, "\"a\"") || conditional_none_match_hits(field, "\"a\""));
	if (conditional_none_match_hits(field, "\"a\"") && !is_star) {
		text_init(&longer, arena, size + 8);
		text_add_bytes(&longer, bytes, size);
		text_add(&longer, ", \"b\"");
		CHECK(conditional_none_match_hits(text_span(&longer), "\"a\""));
		CHECK(conditional_match_hits(text_span(&longer), "\"b\""));
	}
	arena_free(arena);
	return 0;
}
