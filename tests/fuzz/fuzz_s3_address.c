/*
 * fuzz_s3_address - where a bucket is: a line with the endpoint, one with the bucket, one with the region
 * that S3 says it is in.  What is read has one spelling, also after it moved there.
 */
#include "base/check.h"
#include "origin/s3_error.h"
#include "origin/s3_request.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_reads_again(const struct s3_address *address, struct arena *arena)
{
	const char *endpoint = arena_printf(arena, "%s://%s", address->is_https ? "https" : "http", address->host);
	struct failure why = { 0 };
	struct s3_address again;

	CHECK(s3_address_parse(endpoint, address->bucket, address->is_path_style, &again, &why));
	CHECK(memcmp(&again, address, sizeof(again)) == 0);
}

static const char *
copy(struct arena *arena, struct span span)
{
	return arena_copy_bytes(arena, span.at != NULL ? span.at : "", span.length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span rest = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	const char *endpoint = copy(arena, span_cut(&rest, '\n')), *bucket = copy(arena, span_cut(&rest, '\n'));
	struct failure why = { 0 };
	struct s3_address address;

	if (s3_address_parse(endpoint, bucket, size % 2 == 1, &address, &why)) {
		check_reads_again(&address, arena);
		if (rest.length <= S3_REGION_MAX && s3_region_is_valid(rest)) {
			s3_address_move(&address, "us-east-1", copy(arena, rest));
			CHECK(strlen(address.host) <= S3_HOST_MAX);
		}
	} else {
		CHECK(why.kind == FAIL_INTERNAL);
	}
	arena_free(arena);
	return 0;
}
