/*
 * What parses is what its record prints, byte for byte; and whatever a record holds prints
 * to a text that parses to the same deaths and a reason of the same length.
 */
#include "base/check.h"
#include "catalog/quarantine.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct span
print(const struct quarantine *quarantine, struct arena *arena)
{
	struct text text;

	text_init(&text, arena, QUARANTINE_PRINTED_MAX);
	quarantine_print(quarantine, &text);
	CHECK(!text.was_cut);
	return text_span(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct span input = span_range((const char *)bytes, size), printed;
	struct quarantine quarantine, any = { 0 };

	if (quarantine_parse(input, &quarantine)) {
		printed = print(&quarantine, arena);
		CHECK(printed.length == size && memcmp(printed.at, bytes, size) == 0);
	}
	any.deaths = size > 0 ? bytes[0] : 0;
	if (size > 1)
		memcpy(any.reason, bytes + 1, size - 1 < QUARANTINE_REASON_MAX ? size - 1 : QUARANTINE_REASON_MAX);
	if (any.deaths > 0) {
		CHECK(quarantine_parse(print(&any, arena), &quarantine));
		CHECK(quarantine.deaths == (any.deaths < 9 ? any.deaths : 9));
		CHECK(strlen(quarantine.reason) == strlen(any.reason));
	}
	arena_free(arena);
	return 0;
}
