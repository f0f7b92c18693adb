/*
 * fuzz_url - paths and segments.  What is decoded is harmless, and encoding it
 * again and decoding that gives the same.
 */
#include "base/check.h"
#include "http/url.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_segment(struct span segment, struct arena *arena)
{
	struct failure why = { 0 };
	struct span decoded, again;
	struct text encoded;

	if (!url_decode_segment(segment, arena, &decoded, &why)) {
		CHECK(why.kind == FAIL_BAD_REQUEST);
		return;
	}
	CHECK(decoded.length <= segment.length && span_is_utf8(decoded));
	for (size_t i = 0; i < decoded.length; i++)
		CHECK((unsigned char)decoded.at[i] >= ' ' && strchr("/\\\x7f", decoded.at[i]) == NULL);
	text_init(&encoded, arena, 3 * decoded.length);
	url_encode(decoded, "", &encoded);
	CHECK(url_decode_segment(text_span(&encoded), arena, &again, &why));
	CHECK(again.length == decoded.length && memcmp(again.at, decoded.at, again.length) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span target = span_range((const char *)bytes, size), path;
	struct arena *arena = arena_new();
	struct failure why = { 0 };

	check_segment(target, arena);
	if (url_path(target, &path, &why)) {
		CHECK(path.length >= 1 && path.length <= URL_PATH_MAX && path.at[0] == '/');
		while (path.at != NULL)
			check_segment(span_cut(&path, '/'), arena);
	}
	arena_free(arena);
	return 0;
}
