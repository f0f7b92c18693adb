/*
 * fuzz_percent - keys as listings write them.  Every key, encoded, is decoded to itself.
 */
#include "base/check.h"
#include "http/url.h"
#include "origin/percent.h"

#include <ctype.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
is_well_formed(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == '%' && (length - i < 3 || !isxdigit((unsigned char)text[i + 1]) ||
		    !isxdigit((unsigned char)text[i + 2])))
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	char *decoded = arena_copy_bytes(arena, bytes, size);
	size_t length = size;
	struct text encoded;

	CHECK(percent_decode(decoded, &length) == is_well_formed((const char *)bytes, size));
	CHECK(length <= size && size <= 3 * length);
	text_init(&encoded, arena, 3 * size);
	url_encode(span_range((const char *)bytes, size), "/", &encoded);
	length = encoded.length;
	CHECK(percent_decode(encoded.at, &length));
	CHECK(length == size && memcmp(encoded.at, bytes, size) == 0);
	arena_free(arena);
	return 0;
}
