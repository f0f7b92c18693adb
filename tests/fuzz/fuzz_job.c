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

static void
check_result(struct span input, enum job_operation operation, struct arena *arena)
{
	struct failure why = { 0 };
	struct job_result result;
	struct text printed;

	text_init(&printed, arena, JOB_MESSAGE_MAX);
	if (!job_result_parse(input, operation, &result, &why)) {
		CHECK(why.kind != FAIL_NONE);
		return;
	}
	CHECK(result.failure.kind != FAIL_NONE || (result.portrait.palette_count > 0) == (operation == JOB_DESCRIBE));
	job_result_print(&result, &printed);
	check_same(&printed, input);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span input = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct text printed;
	struct job job;

	text_init(&printed, arena, JOB_MESSAGE_MAX);
	if (job_parse(input, arena, &job, &why)) {
		job_print(&job, &printed);
		check_same(&printed, input);
	} else {
		CHECK(why.kind != FAIL_NONE);
	}
	check_result(input, JOB_DESCRIBE, arena);
	check_result(input, JOB_RENDER, arena);
	arena_free(arena);
	return 0;
}
