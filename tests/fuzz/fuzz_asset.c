/*
 * fuzz_asset - rows from memcached, which anybody in the network may have put
 * there.  What parses prints the very same bytes.
 */
#include "asset/asset.h"
#include "base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct asset asset;
	struct arena *arena;
	struct text printed;
	unsigned width, height;

	if (!asset_parse(span_range((const char *)bytes, size), &asset))
		return 0;
	CHECK(asset_id_is_valid(span_of(asset.id)));
	CHECK(asset.orientation >= 1 && asset.orientation <= 8 && asset.media < MEDIA_COUNT);
	CHECK(asset.focus_x >= 0 && asset.focus_x <= 1 && asset.focus_y >= 0 && asset.focus_y <= 1);
	asset_upright_size(&asset, &width, &height);
	arena = arena_new();
	text_init(&printed, arena, ASSET_PRINTED_MAX);
	asset_print(&asset, &printed);
	CHECK(printed.length == size && memcmp(printed.at, bytes, size) == 0);
	arena_free(arena);
	return 0;
}
