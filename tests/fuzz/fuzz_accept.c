/*
 * fuzz_accept - Accept fields, and media types and file starts on the way.  A
 * weight is at most 1000, and naming a type never weighs more than accepting it.
 */
#include "base/check.h"
#include "http/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span field = span_range((const char *)bytes, size);
	enum media sniffed = media_sniff(bytes, size), named = media_of_type(field);

	for (enum media media = MEDIA_NONE; media < MEDIA_COUNT; media++) {
		unsigned weight = accept_weight(field, media);

		CHECK(weight <= 1000 && accept_weight_named(field, media) <= weight);
	}
	CHECK(sniffed < MEDIA_COUNT);
	/* A type by itself, without "q=0" and the like behind it, is accepted. */
	for (size_t i = 0; named != MEDIA_NONE && i < size; i++)
		if (bytes[i] == ';' || bytes[i] == ',')
			named = MEDIA_NONE;
	CHECK(named == MEDIA_NONE || size > ACCEPT_MAX || accept_weight_named(field, named) == 1000);
	return 0;
}
