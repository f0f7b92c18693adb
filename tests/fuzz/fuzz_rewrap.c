/* Whatever stands in the file: it is given up, or what comes out comes through once more as it is. */
#include "image/rewrap.h"

#include "base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { ROOM = 1024 };

static void
rewrap_twice(enum media media, struct span file, bool keeps_profile, struct span packet)
{
	struct arena *arena = arena_new();
	struct text once, twice;

	text_init(&once, arena, file.length + ROOM);
	if (rewrap(media, file, keeps_profile, packet, &once)) {
		text_init(&twice, arena, once.length + ROOM);
		CHECK(rewrap(media, text_span(&once), keeps_profile, packet, &twice));
		CHECK(once.length == twice.length && memcmp(once.at, twice.at, once.length) == 0);
	}
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const enum media formats[] = { MEDIA_JPEG, MEDIA_PNG, MEDIA_WEBP, MEDIA_GIF, MEDIA_JXL, MEDIA_AVIF };
	struct span file = span_range((const char *)bytes, length), none = { NULL, 0 };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		rewrap_twice(formats[i], file, true, none);
		rewrap_twice(formats[i], file, false, span_of("<x:xmpmeta/>"));
	}
	return 0;
}
