/*
 * Both messages between responder and renderer: what is accepted is printed
 * back letter by letter, so there is one text for each value.
 */
#include "base/check.h"
#include "render/job.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_same(const struct text *printed, struct span input)
{
	CHECK(!printed->was_cut);
	CHECK(printed->length == input.length && memcmp(printed->at, input.at, input.length) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span input = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct job_result result;
	struct text printed;
	struct job job;

	text_init(&printed, arena, JOB_MESSAGE_MAX);
	if (job_parse(input, arena, &job, &why)) {
		job_print(&job, &printed);
		check_same(&printed, input);
	} else {
		CHECK(why.kind != FAIL_NONE);
	}
	failure_clear(&why);
	text_init(&printed, arena, JOB_MESSAGE_MAX);
	if (job_result_parse(input, &result, &why)) {
		job_result_print(&result, &printed);
		check_same(&printed, input);
	} else {
		CHECK(why.kind != FAIL_NONE);
	}
	arena_free(arena);
	return 0;
}
