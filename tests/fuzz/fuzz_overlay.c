/*
 * fuzz_overlay - overlays on their way to the renderer.  What parses prints the
 * very same word, and every text in it can be given to Pango.
 */
#include "base/check.h"
#include "recipe/overlay.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct overlays overlays;
	struct arena *arena;
	struct text printed;

	if (!overlays_parse(span_range((const char *)bytes, size), &overlays))
		return 0;
	CHECK(overlays.caption_count <= CAPTION_COUNT_MAX);
	for (unsigned i = 0; i < overlays.caption_count; i++)
		CHECK(caption_text_is_valid(span_of(overlays.captions[i].text), CAPTION_TEXT_MAX) &&
		    caption_text_is_valid(span_of(overlays.captions[i].font), CAPTION_FONT_MAX));
	CHECK(!overlays.mark.is_set || overlays.mark.margin <= 0.5);
	arena = arena_new();
	text_init(&printed, arena, OVERLAYS_PRINTED_MAX);
	overlays_print(&overlays, &printed);
	CHECK(printed.length == size && memcmp(printed.at, bytes, size) == 0);
	arena_free(arena);
	return 0;
}
