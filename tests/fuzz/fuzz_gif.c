/*
 * fuzz_gif - whether a GIF is whole.  One that is stays so with a trailer and whatever
 * follows that, and begins with a whole header.
 */
#include "base/check.h"
#include "image/gif.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { HEADER_BYTES = 13 };

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena;
	struct text longer;

	if (gif_is_cut_off(span_range((const char *)bytes, size)))
		return 0;
	CHECK(size >= HEADER_BYTES);
	arena = arena_new();
	text_init(&longer, arena, size + 3);
	text_add_bytes(&longer, bytes, size);
	text_add(&longer, ";!,");
	CHECK(!gif_is_cut_off(text_span(&longer)));
	arena_free(arena);
	return 0;
}
