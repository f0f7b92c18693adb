/*
 * What opens is exactly what wrapping its inside gives, and a value that was
 * wrapped opens to itself, under its own key and secret only.
 */
#include "base/check.h"
#include "peers/envelope.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_sealed_with(struct span secret, struct span input, struct arena *arena)
{
	struct key key = key_of(span_of("the key of the seeds")), other = key_of(span_of("another"));
	struct span inside, wrapped;

	if (envelope_open(&key, secret, input, &inside)) {
		wrapped = envelope_wrap(&key, secret, inside, arena);
		CHECK(wrapped.length == input.length && memcmp(wrapped.at, input.at, input.length) == 0);
	}
	wrapped = envelope_wrap(&key, secret, input, arena);
	CHECK(envelope_open(&key, secret, wrapped, &inside));
	CHECK(inside.length == input.length && (input.length == 0 || memcmp(inside.at, input.at, input.length) == 0));
	CHECK(!envelope_open(&other, secret, wrapped, &inside));
	CHECK(!envelope_open(&key, span_of("another secret"), wrapped, &inside));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();

	check_sealed_with(span_of(""), span_range((const char *)bytes, size), arena);
	check_sealed_with(span_of("the secret of the seeds"), span_range((const char *)bytes, size), arena);
	arena_free(arena);
	return 0;
}
