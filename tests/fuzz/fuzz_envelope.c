/*
 * What opens is exactly what wrapping its inside gives, and a value that was
 * wrapped opens to itself, under its own key only.
 */
#include "base/check.h"
#include "peers/envelope.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct key key = key_of(span_of("the key of the seeds")), other = key_of(span_of("another"));
	struct span input = span_range((const char *)bytes, size), inside, wrapped;

	if (envelope_open(&key, input, &inside)) {
		wrapped = envelope_wrap(&key, inside, arena);
		CHECK(wrapped.length == size && memcmp(wrapped.at, bytes, size) == 0);
	}
	wrapped = envelope_wrap(&key, input, arena);
	CHECK(envelope_open(&key, wrapped, &inside));
	CHECK(inside.length == size && (size == 0 || memcmp(inside.at, bytes, size) == 0));
	CHECK(!envelope_open(&other, wrapped, &inside));
	arena_free(arena);
	return 0;
}
