#include "render/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RENDER_JOB \
	"vitrine-job 5\n" \
	"operation render\n" \
	"recipe w=400,fit=cover\n" \
	"overlays -\n" \
	"format webp\n" \
	"max-pixels 100000000\n" \
	"max-animation-pixels 200000000\n" \
	"max-frames 300\n" \
	"max-output-bytes 67108864\n" \
	"timeout-ms 15000\n" \
	"deadline-us 123456789\n" \
	"mezzanine leave\n"

#define DESCRIBE_JOB \
	"vitrine-job 5\n" \
	"operation describe\n" \
	"recipe -\n" \
	"overlays -\n" \
	"format -\n" \
	"max-pixels 1\n" \
	"max-animation-pixels 1\n" \
	"max-frames 1\n" \
	"max-output-bytes 1\n" \
	"timeout-ms 600000\n" \
	"deadline-us 0\n" \
	"mezzanine without\n"

#define OUTCOME \
	"vitrine-result 5\n" \
	"failure none\n" \
	"source-media heic\n" \
	"source-width 4032\n" \
	"source-height 3024\n" \
	"source-frames 1\n" \
	"source-orientation 6\n" \
	"source-alpha 0\n" \
	"source-progressive 1\n" \
	"width 300\n" \
	"height 400\n" \
	"frames 12\n" \
	"bytes 22000\n" \
	"decode-us 90000\n" \
	"total-us 4294967295\n"

#define RESULT OUTCOME \
	"mezzanine follows\n" \
	"kept 1\n" \
	"colours -\n" \
	"blurhash -\n" \
	"thumbhash -\n" \
	"placeholder -\n"

#define PORTRAIT_RESULT OUTCOME \
	"mezzanine none\n" \
	"kept 0\n" \
	"colours ff0080 ff0080 00a0ff\n" \
	"blurhash LEHV6nWB2yk8pyo0adR*.7kCMdnj\n" \
	"thumbhash 1QcSHQRnh493V4dIh4eXh1h4kJUI\n" \
	"placeholder data:image/webp;base64,UklGRg==\n"

#define FAILED_RESULT \
	"vitrine-result 5\n" \
	"failure unprocessable\n" \
	"detail damaged image: \xC3\xBC & more\n"

static struct arena *arena;

static int
make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The text with one line replaced: the one that begins with the name. */
static struct span
with_line(const char *text, const char *line)
{
	struct span rest = span_of(text), wanted = span_of(line), name = span_cut(&wanted, ' ');
	struct text out;

	text_init(&out, arena, 2 * JOB_MESSAGE_MAX);
	while (rest.length > 0) {
		struct span old = span_cut(&rest, '\n'), old_rest = old;

		if (span_equals(span_cut(&old_rest, ' '), arena_copy_bytes(arena, name.at, name.length)))
			old = span_of(line);
		text_printf(&out, "%.*s\n", SPAN_ARGS(old));
	}
	return text_span(&out);
}

static struct text
empty_text(void)
{
	struct text text;

	text_init(&text, arena, JOB_MESSAGE_MAX);
	return text;
}

static void
test_reads_and_prints_a_rendering(void **state)
{
	struct text printed = empty_text();
	struct failure why = { 0 };
	struct job job;

	(void)state;
	assert_true(job_parse(span_of(RENDER_JOB), arena, &job, &why));
	assert_int_equal(job.operation, JOB_RENDER);
	assert_string_equal(job.recipe, "w=400,fit=cover");
	assert_int_equal(job.format, MEDIA_WEBP);
	assert_string_equal(job.overlays, "-");
	assert_int_equal(job.limits.max_pixels, 100000000);
	assert_int_equal(job.limits.max_animation_pixels, 200000000);
	assert_int_equal(job.limits.max_frames, 300);
	assert_int_equal(job.limits.max_output_bytes, 67108864);
	assert_int_equal(job.timeout_ms, 15000);
	assert_int_equal(job.mezzanine, MEZZANINE_LEAVE);
	job_print(&job, &printed);
	assert_string_equal(printed.at, RENDER_JOB);
}

static void
test_reads_and_prints_a_describing(void **state)
{
	struct text printed = empty_text();
	struct failure why = { 0 };
	struct job job;

	(void)state;
	assert_true(job_parse(span_of(DESCRIBE_JOB), arena, &job, &why));
	assert_int_equal(job.operation, JOB_DESCRIBE);
	assert_int_equal(job.format, MEDIA_NONE);
	job_print(&job, &printed);
	assert_string_equal(printed.at, DESCRIBE_JOB);
}

static void
test_the_largest_job_fits_into_a_message(void **state)
{
	char recipe[RECIPE_TEXT_MAX + 1] = "", overlays[OVERLAYS_PRINTED_MAX + 1] = "";
	struct job job = {
		.operation = JOB_RENDER,
		.recipe = recipe,
		.overlays = overlays,
		.format = MEDIA_AVIF,
		.limits = { JOB_PIXELS_MAX, JOB_PIXELS_MAX, JOB_FRAMES_MAX, JOB_OUTPUT_BYTES_MAX },
		.timeout_ms = JOB_TIMEOUT_MS_MAX,
		.deadline = { INT64_MAX },
		.mezzanine = MEZZANINE_LEAVE,
	};
	struct text printed = empty_text();
	struct failure why = { 0 };
	struct job read;

	(void)state;
	memset(recipe, 'w', RECIPE_TEXT_MAX);
	memset(overlays, 'o', OVERLAYS_PRINTED_MAX);
	job_print(&job, &printed);
	assert_false(printed.was_cut);
	assert_true(job_parse(text_span(&printed), arena, &read, &why));
}

static void
test_refuses_a_job_with_one_wrong_line(void **state)
{
	static const char *const lines[] = {
		"operation paint", "operation ", "operation Render", "operation describe",
		"recipe ", "recipe a b", "recipe \x7F", "recipe w=1\t", "recipe \xC3\xBC",
		"overlays ", "overlays a b", "overlays \x7F", "overlays \xC3\xBC",
		"max-animation-pixels 0", "max-animation-pixels 1099511627777", "max-animation-pixels x",
		"max-frames 0", "max-frames 1000001", "max-frames 01",
		"format jpeg", "format tiff", "format svg", "format -", "format none", "format ",
		"max-pixels 0", "max-pixels 1099511627777", "max-pixels -1", "max-pixels 007", "max-pixels 1 ",
		"max-output-bytes 0", "max-output-bytes 4294967297", "max-output-bytes 1e3",
		"deadline-us -1", "deadline-us 9223372036854775808", "deadline-us 01",
		"mezzanine ", "mezzanine -", "mezzanine used", "mezzanine use ", "mezzanine Leave",
		"timeout-ms 0", "timeout-ms 600001", "timeout-ms  5",
		"vitrine-job 5x", "vitrine-job 05", "vitrine-job -5", "vitrine-job ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct job job = { .timeout_ms = 7 };
		struct failure why = { 0 };

		if (job_parse(with_line(RENDER_JOB, lines[i]), arena, &job, &why))
			fail_msg("accepted \"%s\"", lines[i]);
		assert_int_equal(why.kind, FAIL_INTERNAL);
		assert_int_equal(job.timeout_ms, 7);
	}
}

static void
test_refuses_a_describing_that_asks_for_more(void **state)
{
	static const char *const lines[] = { "recipe w=1", "format png", "overlays x", "mezzanine use", "mezzanine leave" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct failure why = { 0 };
		struct job job;

		assert_false(job_parse(with_line(DESCRIBE_JOB, lines[i]), arena, &job, &why));
	}
}

static void
test_refuses_texts_over_their_limits(void **state)
{
	static const struct {
		const char *name;
		size_t max;
	} texts[] = { { "recipe ", RECIPE_TEXT_MAX }, { "overlays ", OVERLAYS_PRINTED_MAX } };
	char line[OVERLAYS_PRINTED_MAX + 32];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int start = snprintf(line, sizeof(line), "%s", texts[i].name);
		struct failure why = { 0 };
		struct job job;

		memset(line + start, 'w', texts[i].max + 1);
		line[start + (int)texts[i].max] = '\0';
		assert_true(job_parse(with_line(RENDER_JOB, line), arena, &job, &why));
		line[start + (int)texts[i].max] = 'w';
		line[start + (int)texts[i].max + 1] = '\0';
		assert_false(job_parse(with_line(RENDER_JOB, line), arena, &job, &why));
	}
}

static void
test_refuses_lines_that_are_missing_swapped_or_too_many(void **state)
{
	static const char *const jobs[] = {
		"", "\n", "vitrine-job 5", "vitrine-job 5\n",
		"operation render\n" RENDER_JOB,
		RENDER_JOB "\n", RENDER_JOB "mezzanine use\n", RENDER_JOB "x",
		"vitrine-job 5\nrecipe w=400\noperation render\noverlays -\nformat webp\nmax-pixels 1\n"
		"max-animation-pixels 1\nmax-frames 1\nmax-output-bytes 1\ntimeout-ms 1\ndeadline-us 1\nmezzanine use\n",
		"vitrine-job 5\noperation render\nrecipe w=400\nformat webp\nmax-pixels 1\n"
		"max-animation-pixels 1\nmax-frames 1\nmax-output-bytes 1\ntimeout-ms 1\ndeadline-us 1\nmezzanine use\n",
		"vitrine-job 5\noperation render\nrecipe w=400\noverlays -\nformat webp\nmax-pixels 1\n"
		"max-animation-pixels 1\nmax-frames 1\nmax-output-bytes 1\ntimeout-ms 1\ndeadline-us 1\nmezzanine use",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct failure why = { 0 };
		struct job job;

		if (job_parse(span_of(jobs[i]), arena, &job, &why))
			fail_msg("accepted \"%s\"", jobs[i]);
	}
}

/* A mark has a picture of its own, and a mezzanine is one. */
static void
test_counts_the_files_of_a_job(void **state)
{
	struct overlays overlays = { .mark = { .is_set = true, .position = GRAVITY_CENTRE, .scale = 0.5, .opacity = 1 } };
	struct text printed = empty_text();
	struct job job = { .operation = JOB_DESCRIBE, .overlays = "-" };

	(void)state;
	assert_int_equal(job_file_count(&job), 1);
	job.operation = JOB_RENDER;
	assert_int_equal(job_file_count(&job), 2);
	job.mezzanine = MEZZANINE_USE;
	assert_int_equal(job_file_count(&job), 3);
	overlays_print(&overlays, &printed);
	job.overlays = printed.at;
	assert_int_equal(job_file_count(&job), JOB_DESCRIPTORS_MAX);
	job.mezzanine = MEZZANINE_WITHOUT;
	assert_int_equal(job_file_count(&job), 3);
}

static void
test_names_the_version_it_does_not_speak(void **state)
{
	struct job_result result;
	struct failure why = { 0 };
	struct job job;

	(void)state;
	assert_false(job_parse(span_of("vitrine-job 1\nwhatever\n"), arena, &job, &why));
	assert_int_equal(why.kind, FAIL_UNAVAILABLE);
	assert_non_null(strstr(why.detail, "version 1"));
	failure_clear(&why);
	assert_false(job_result_parse(span_of("vitrine-result 77\nwhatever\n"), JOB_RENDER, &result, &why));
	assert_int_equal(why.kind, FAIL_UNAVAILABLE);
	assert_non_null(strstr(why.detail, "version 77"));
}

static void
test_reads_and_prints_a_result(void **state)
{
	struct text printed = empty_text();
	struct failure why = { 0 };
	struct job_result result;

	(void)state;
	assert_true(job_result_parse(span_of(RESULT), JOB_RENDER, &result, &why));
	assert_int_equal(result.failure.kind, FAIL_NONE);
	assert_int_equal(result.outcome.source.media, MEDIA_HEIC);
	assert_int_equal(result.outcome.source.width, 4032);
	assert_int_equal(result.outcome.source.height, 3024);
	assert_int_equal(result.outcome.source.orientation, 6);
	assert_false(result.outcome.source.has_alpha);
	assert_true(result.outcome.source.is_progressive);
	assert_int_equal(result.outcome.width, 300);
	assert_int_equal(result.outcome.height, 400);
	assert_int_equal(result.outcome.frames, 12);
	assert_int_equal(result.outcome.bytes, 22000);
	assert_int_equal(result.outcome.decode_us, 90000);
	assert_int_equal(result.outcome.total_us, UINT32_MAX);
	assert_int_equal(result.outcome.mezzanine, MEZZANINE_FOLLOWS);
	assert_true(result.outcome.is_from_kept);
	assert_int_equal(result.leaving, -1);
	assert_int_equal(result.portrait.palette_count, 0);
	assert_string_equal(result.portrait.blurhash, "");
	job_result_print(&result, &printed);
	assert_string_equal(printed.at, RESULT);
}

static void
test_reads_and_prints_a_portrait(void **state)
{
	static const uint8_t pink[] = { 0xff, 0, 0x80 }, blue[] = { 0, 0xa0, 0xff };
	struct text printed = empty_text();
	struct failure why = { 0 };
	struct job_result result;

	(void)state;
	assert_true(job_result_parse(span_of(PORTRAIT_RESULT), JOB_DESCRIBE, &result, &why));
	assert_memory_equal(result.portrait.dominant, pink, 3);
	assert_int_equal(result.portrait.palette_count, 2);
	assert_memory_equal(result.portrait.palette[0], pink, 3);
	assert_memory_equal(result.portrait.palette[1], blue, 3);
	assert_string_equal(result.portrait.blurhash, "LEHV6nWB2yk8pyo0adR*.7kCMdnj");
	assert_string_equal(result.portrait.thumbhash, "1QcSHQRnh493V4dIh4eXh1h4kJUI");
	assert_string_equal(result.portrait.placeholder, "data:image/webp;base64,UklGRg==");
	job_result_print(&result, &printed);
	assert_string_equal(printed.at, PORTRAIT_RESULT);
}

static void
test_refuses_a_portrait_with_one_wrong_line(void **state)
{
	static const char *const lines[] = {
		"colours ", "colours ff0080", "colours ff0080 ", "colours ff008 ff0080", "colours FF0080 ff0080",
		"colours ff0080 ff00800", "colours ff0080,ff0080", "colours - ff0080", "colours -",
		"colours 111111 111111 222222 333333 444444 555555 666666",
		"blurhash ", "blurhash -", "blurhash a b", "blurhash 12345678901234567890123456789",
		"thumbhash ", "thumbhash -", "thumbhash \xC3\xBC", "thumbhash 1234567890123456789012345678901234567",
		"placeholder ", "placeholder -", "placeholder a\tb",
	};
	char too_long[PORTRAIT_PLACEHOLDER_MAX + 32] = "placeholder ";
	struct job_result result;
	struct failure why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		failure_clear(&why);
		if (job_result_parse(with_line(PORTRAIT_RESULT, lines[i]), JOB_DESCRIBE, &result, &why))
			fail_msg("accepted \"%s\"", lines[i]);
	}
	failure_clear(&why);
	memset(too_long + strlen("placeholder "), 'x', PORTRAIT_PLACEHOLDER_MAX);
	assert_true(job_result_parse(with_line(PORTRAIT_RESULT, too_long), JOB_DESCRIBE, &result, &why));
	too_long[strlen(too_long)] = 'x';
	assert_false(job_result_parse(with_line(PORTRAIT_RESULT, too_long), JOB_DESCRIBE, &result, &why));
}

/* import stores what describing found: half a portrait, or that of a rendering, is none. */
static void
test_takes_a_portrait_from_describing_alone(void **state)
{
	static const char *const lines[] = { "colours ff0080 ff0080", "blurhash a", "thumbhash a", "placeholder a" };
	struct job_result result;
	struct failure why = { 0 };

	(void)state;
	assert_false(job_result_parse(span_of(RESULT), JOB_DESCRIBE, &result, &why));
	failure_clear(&why);
	assert_false(job_result_parse(span_of(PORTRAIT_RESULT), JOB_RENDER, &result, &why));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		failure_clear(&why);
		assert_false(job_result_parse(with_line(RESULT, lines[i]), JOB_RENDER, &result, &why));
	}
	failure_clear(&why);
	assert_true(job_result_parse(span_of(FAILED_RESULT), JOB_DESCRIBE, &result, &why));
}

static void
test_the_largest_result_fits_into_a_message(void **state)
{
	struct job_result result, read;
	struct text printed = empty_text();
	struct failure why = { 0 };

	(void)state;
	assert_true(job_result_parse(span_of(PORTRAIT_RESULT), JOB_DESCRIBE, &result, &why));
	result.outcome.bytes = JOB_OUTPUT_BYTES_MAX;
	result.portrait.palette_count = PORTRAIT_PALETTE_MAX;
	memset(result.portrait.blurhash, 'b', PORTRAIT_BLURHASH_MAX);
	memset(result.portrait.thumbhash, 't', PORTRAIT_THUMBHASH_MAX);
	memset(result.portrait.placeholder, 'p', PORTRAIT_PLACEHOLDER_MAX);
	job_result_print(&result, &printed);
	assert_false(printed.was_cut);
	assert_true(job_result_parse(text_span(&printed), JOB_DESCRIBE, &read, &why));
}

static void
test_reads_and_prints_a_failure(void **state)
{
	struct text printed = empty_text();
	struct failure why = { 0 };
	struct job_result result;

	(void)state;
	assert_true(job_result_parse(span_of(FAILED_RESULT), JOB_RENDER, &result, &why));
	assert_int_equal(why.kind, FAIL_NONE);
	assert_int_equal(result.failure.kind, FAIL_UNPROCESSABLE);
	assert_string_equal(result.failure.detail, "damaged image: \xC3\xBC & more");
	job_result_print(&result, &printed);
	assert_string_equal(printed.at, FAILED_RESULT);
}

static void
test_refuses_a_result_with_one_wrong_line(void **state)
{
	static const char *const lines[] = {
		"failure forbidden", "failure not-found", "failure gone", "failure busy", "failure nonsense",
		"failure unprocessable",	/* without its detail */
		"source-media -", "source-media none", "source-media bmp",
		"source-width 0", "source-width 10000001", "source-height 0",
		"source-frames 0", "source-frames 1000001",
		"source-orientation 0", "source-orientation 9",
		"source-alpha 2", "source-alpha yes", "source-progressive ",
		"width 16385", "height 16385", "frames 1000001", "bytes 4294967297", "decode-us 4294967296", "total-us -1",
		"mezzanine use", "mezzanine ", "mezzanine -", "kept 2", "kept -",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct job_result result = { .outcome.width = 7 };
		struct failure why = { 0 };

		if (job_result_parse(with_line(RESULT, lines[i]), JOB_RENDER, &result, &why))
			fail_msg("accepted \"%s\"", lines[i]);
		assert_int_equal(why.kind, FAIL_INTERNAL);
		assert_int_equal(result.outcome.width, 7);
	}
}

static void
test_refuses_a_detail_that_would_spoil_the_log(void **state)
{
	static const char *const details[] = {
		"detail a\tb", "detail \x1B[31m", "detail \xFF", "detail \x7F", "detail a\rb",
	};
	char too_long[FAILURE_DETAIL_MAX + 16] = "detail ";

	(void)state;
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		struct failure why = { 0 };
		struct job_result result;

		assert_false(job_result_parse(with_line(FAILED_RESULT, details[i]), JOB_RENDER, &result, &why));
	}
	for (unsigned length = FAILURE_DETAIL_MAX - 1; length <= FAILURE_DETAIL_MAX; length++) {
		struct failure why = { 0 };
		struct job_result result;

		memset(too_long + 7, 'x', length);
		assert_int_equal(job_result_parse(with_line(FAILED_RESULT, too_long), JOB_RENDER, &result, &why),
		    length < FAILURE_DETAIL_MAX);
	}
}

static void
test_prints_a_detail_so_that_it_can_be_read(void **state)
{
	static const struct {
		const char *detail, *printed;
	} details[] = {
		{ "two\nlines", "two?lines" },
		{ "\x1B[31m", "?[31m" },
		{ "half a letter \xC3", "half a letter ?" },
		{ "\xC3\xBC is kept", "\xC3\xBC is kept" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		struct job_result result = { .failure.kind = FAIL_UNSUPPORTED }, read;
		struct text printed = empty_text();
		struct failure why = { 0 };

		snprintf(result.failure.detail, FAILURE_DETAIL_MAX, "%s", details[i].detail);
		job_result_print(&result, &printed);
		if (!job_result_parse(text_span(&printed), JOB_RENDER, &read, &why))
			fail_msg("cannot read \"%s\" back", printed.at);
		assert_string_equal(read.failure.detail, details[i].printed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_and_prints_a_rendering),
		cmocka_unit_test(test_reads_and_prints_a_describing),
		cmocka_unit_test(test_the_largest_job_fits_into_a_message),
		cmocka_unit_test(test_refuses_a_job_with_one_wrong_line),
		cmocka_unit_test(test_refuses_a_describing_that_asks_for_more),
		cmocka_unit_test(test_refuses_texts_over_their_limits),
		cmocka_unit_test(test_refuses_lines_that_are_missing_swapped_or_too_many),
		cmocka_unit_test(test_counts_the_files_of_a_job),
		cmocka_unit_test(test_names_the_version_it_does_not_speak),
		cmocka_unit_test(test_reads_and_prints_a_result),
		cmocka_unit_test(test_reads_and_prints_a_portrait),
		cmocka_unit_test(test_refuses_a_portrait_with_one_wrong_line),
		cmocka_unit_test(test_takes_a_portrait_from_describing_alone),
		cmocka_unit_test(test_the_largest_result_fits_into_a_message),
		cmocka_unit_test(test_reads_and_prints_a_failure),
		cmocka_unit_test(test_refuses_a_result_with_one_wrong_line),
		cmocka_unit_test(test_refuses_a_detail_that_would_spoil_the_log),
		cmocka_unit_test(test_prints_a_detail_so_that_it_can_be_read),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
