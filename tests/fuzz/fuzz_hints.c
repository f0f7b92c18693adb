/*
 * fuzz_hints - client hints.  What is read is within its range, and says the same
 * when a proxy puts blanks around it.
 */
#include "base/check.h"
#include "http/hints.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span field = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	unsigned width, width_again;
	double dpr, dpr_again;
	struct text padded;

	text_init(&padded, arena, size + 2);
	text_add_char(&padded, ' ');
	text_add_bytes(&padded, bytes, size);
	text_add_char(&padded, '\t');
	CHECK(hint_saves_data(field) == hint_saves_data(text_span(&padded)));
	CHECK(hint_width(field, &width) == hint_width(text_span(&padded), &width_again));
	CHECK(hint_dpr(field, &dpr) == hint_dpr(text_span(&padded), &dpr_again));
	if (hint_width(field, &width))
		CHECK(width >= 1 && width <= 65535);
	if (hint_dpr(field, &dpr))
		CHECK(dpr > 0 && dpr <= 100);
	arena_free(arena);
	return 0;
}
