/*
 * fuzz_http_headers - an answer's headers, as curl hands them on: what S3 or a proxy says
 * of length, time and entity tag.
 */
#include "base/check.h"
#include "origin/http_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
is_a_line(struct span value)
{
	for (size_t i = 0; i < value.length; i++)
		if (value.at[i] == '\n')
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { "etag", "date", "Last-Modified", "x-amz-bucket-region", "" };
	struct http_response response = { 0 };
	struct arena *arena = arena_new();
	uint64_t length;
	struct span value;

	text_init(&response.headers, arena, HTTP_HEADERS_MAX);
	text_add_bytes(&response.headers, bytes, size);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(!http_response_header(&response, names[i], &value) || is_a_line(value));
	if (http_response_length(&response, &length))
		CHECK(length <= INT64_MAX && http_response_header(&response, "Content-Length", &value));
	arena_free(arena);
	return 0;
}
