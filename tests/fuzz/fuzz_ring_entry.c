/*
 * What parses prints to a text that parses to the same and prints to the same.
 * The first line of the input is the id that is asked for.
 */
#include "base/check.h"
#include "catalog/ring_entry.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct span input = span_range((const char *)bytes, size), id = span_cut(&input, '\n');
	struct ring_entry *entry = arena_alloc(arena, sizeof(*entry));
	struct text first, second;

	if (input.at != NULL && ring_entry_parse(input, id, entry)) {
		CHECK(span_equals(id, entry->asset.id));
		text_init(&first, arena, RING_ENTRY_MAX);
		ring_entry_print(entry, &first);
		CHECK(!first.was_cut);
		CHECK(ring_entry_parse(text_span(&first), id, entry));
		text_init(&second, arena, RING_ENTRY_MAX);
		ring_entry_print(entry, &second);
		CHECK(first.length == second.length && memcmp(first.at, second.at, first.length) == 0);
	}
	arena_free(arena);
	return 0;
}
