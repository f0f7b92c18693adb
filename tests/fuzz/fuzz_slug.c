/*
 * fuzz_slug - object keys as ids.  Any key suggests a valid one, and a slug suggests itself.
 */
#include "asset/slug.h"
#include "base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span key = span_range((const char *)bytes, size < ASSET_KEY_MAX ? size : ASSET_KEY_MAX);
	struct slug slug = slug_of_key(key), distinct = slug_distinct(span_of("media"), key);
	struct slug other = slug_distinct(span_of("archive"), key), again = slug_of_key(span_of(slug.id));

	CHECK(asset_id_is_valid(span_of(slug.id)) && asset_id_is_valid(span_of(distinct.id)));
	CHECK(strcmp(again.id, slug.id) == 0);
	CHECK(slug.id[0] != '-' && slug.id[strlen(slug.id) - 1] != '-' && strstr(slug.id, "--") == NULL);
	CHECK(strcmp(distinct.id, slug.id) != 0 && strcmp(distinct.id, other.id) != 0);
	return 0;
}
