/* test_url - the raw path, its segments decoded once, encoding, and quoting. */
#include "http/quote.h"
#include "http/url.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static struct arena *arena;

static int
open_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void
test_takes_the_raw_path_of_a_target(void **state)
{
	static const struct {
		const char *target, *want;
	} cases[] = {
		{ "/", "/" },
		{ "/a/b/c.jpg", "/a/b/c.jpg" },
		{ "/a?b=/c", "/a" },
		{ "/a#b", "/a" },
		{ "/a#b?c", "/a" },
		{ "/a?b#c", "/a" },
		{ "/%41%2f..", "/%41%2f.." },
		{ "//x", "//x" },
		{ "/a%3Fb", "/a%3Fb" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct span path;

		if (!url_path(span_of(cases[i].target), &path, &why) || !span_equals(path, cases[i].want))
			fail_msg("%s: %s", cases[i].target, why.detail);
	}
}

static void
test_refuses_targets_that_are_no_path(void **state)
{
	static const char *const cases[] = {
		"", "?a=b", "a", "http://host/a", "*", "/a b", "/a\tb", "/a\nb", "/\x7f", "/\xC3\xA9",
		"/%", "/%4", "/%zz", "/%4g", "/a%?", "/%%41",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct span path;

		if (url_path(span_of(cases[i]), &path, &why))
			fail_msg("took '%s'", cases[i]);
		assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	}
}

static void
test_refuses_nul_in_a_target(void **state)
{
	struct failure why = { 0 };
	struct span path;

	(void)state;
	assert_false(url_path(span_range("/a\0b", 4), &path, &why));
}

static void
test_holds_the_path_to_its_limit(void **state)
{
	char target[URL_PATH_MAX + 2];
	struct failure why = { 0 };
	struct span path;

	(void)state;
	memset(target, 'x', sizeof(target));
	target[0] = '/';
	assert_true(url_path(span_range(target, URL_PATH_MAX), &path, &why));
	assert_false(url_path(span_range(target, URL_PATH_MAX + 1), &path, &why));
	/* The query does not count. */
	failure_clear(&why);
	target[URL_PATH_MAX] = '?';
	assert_true(url_path(span_range(target, sizeof(target)), &path, &why));
	assert_int_equal(path.length, URL_PATH_MAX);
}

static void
test_decodes_a_segment_once(void **state)
{
	static const struct {
		const char *segment, *want;
	} cases[] = {
		{ "", "" },
		{ "w=400,h=300", "w=400,h=300" },
		{ "w%3D400%2ch%3d300", "w=400,h=300" },
		{ "%40card", "@card" },
		{ "caf%C3%A9", "caf\xC3\xA9" },
		{ "100%2525", "100%25" },
		{ "a+b", "a+b" },
		{ "...", "..." },
		{ "a..b", "a..b" },
		{ "%20", " " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct span decoded;

		if (!url_decode_segment(span_of(cases[i].segment), arena, &decoded, &why))
			fail_msg("%s: %s", cases[i].segment, why.detail);
		assert_true(span_equals(decoded, cases[i].want));
	}
}

static void
test_refuses_dangerous_segments(void **state)
{
	static const char *const cases[] = {
		"%00", "a%00.jpg", "%0a", "%0D", "%1f", "%7F", "a%2Fb", "a%2fb", "a/b", "a%5Cb", "a\\b",
		".", "..", "%2e", "%2E%2e", ".%2e", "%", "%2", "%zz", "%ff", "%C0%AF", "\xff", "%ED%A0%80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct span decoded;

		if (url_decode_segment(span_of(cases[i]), arena, &decoded, &why))
			fail_msg("took '%s'", cases[i]);
		assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	}
}

static void
test_encodes_what_is_not_unreserved(void **state)
{
	static const struct {
		const char *raw, *safe, *want;
	} cases[] = {
		{ "azAZ09-._~", "", "azAZ09-._~" },
		{ "a/b c", "", "a%2Fb%20c" },
		{ "a/b c", "/", "a/b%20c" },
		{ "caf\xC3\xA9", "/", "caf%C3%A9" },
		{ "%+*'()!&=", "", "%25%2B%2A%27%28%29%21%26%3D" },
		{ "\n", "/", "%0A" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text out;

		text_init(&out, arena, 100);
		url_encode(span_of(cases[i].raw), cases[i].safe, &out);
		assert_string_equal(out.at, cases[i].want);
	}
}

static void
test_decodes_every_byte_it_encodes(void **state)
{
	char raw[256], back[3 * sizeof(raw)];
	size_t length = 0;
	struct text out;

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (char)i;
	text_init(&out, arena, sizeof(back));
	url_encode(span_range(raw, sizeof(raw)), "/", &out);
	assert_true(url_decode(text_span(&out), back, &length));
	assert_int_equal(length, sizeof(raw));
	assert_memory_equal(back, raw, sizeof(raw));
}

static void
test_quotes_only_what_can_do_no_harm(void **state)
{
	static const struct {
		const char *input, *want;
	} cases[] = {
		{ "", "" },
		{ "wdith", "wdith" },
		{ "a'b\"c\\d", "a?b?c?d" },
		{ "a\x1b[31m\n\xC3\xA9", "a?[31m???" },
		{ "0123456789012345678901234567890123456789", "0123456789012345678901234567890123456789" },
		{ "01234567890123456789012345678901234567890", "0123456789012345678901234567890123456..." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(quote_of(span_of(cases[i].input)).text, cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_the_raw_path_of_a_target),
		cmocka_unit_test(test_refuses_targets_that_are_no_path),
		cmocka_unit_test(test_refuses_nul_in_a_target),
		cmocka_unit_test(test_holds_the_path_to_its_limit),
		cmocka_unit_test(test_decodes_a_segment_once),
		cmocka_unit_test(test_refuses_dangerous_segments),
		cmocka_unit_test(test_encodes_what_is_not_unreserved),
		cmocka_unit_test(test_decodes_every_byte_it_encodes),
		cmocka_unit_test(test_quotes_only_what_can_do_no_harm),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
