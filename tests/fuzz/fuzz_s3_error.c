/*
 * What is taken from an error can stand in a log line and in a host name, and
 * the walk through any document ends: each step consumes something.
 */
#include "base/check.h"
#include "origin/s3_error.h"
#include "origin/xml_scan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
walk(struct span document)
{
	struct xml_scan scan;
	enum xml_token token;
	size_t steps = 0;

	xml_scan_init(&scan, document);
	while ((token = xml_scan_next(&scan)) != XML_END && token != XML_MALFORMED) {
		CHECK(scan.depth <= XML_DEPTH_MAX);
		/* An empty element is two steps of at least four bytes. */
		CHECK(++steps <= document.length);
	}
}

static void
decode(struct span raw, struct arena *arena)
{
	struct text out;

	text_init(&out, arena, raw.length);
	if (xml_text_decode(raw, &out))
		CHECK(!out.was_cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span input = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	enum failure_kind kind;
	struct s3_error error;

	s3_error_parse(input, &error);
	CHECK(strspn(error.code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") ==
	    strlen(error.code));
	CHECK(error.region[0] == '\0' || s3_region_is_valid(span_of(error.region)));
	for (unsigned status = 200; status < 600; status += 1) {
		s3_error_judge(status, error.code, &kind);
		CHECK(kind != FAIL_NONE);
		CHECK(kind != FAIL_NOT_FOUND || (status == 404 && strcmp(error.code, "NoSuchKey") == 0));
	}
	walk(input);
	decode(input, arena);
	arena_free(arena);
	return 0;
}
