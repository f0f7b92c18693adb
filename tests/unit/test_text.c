/* test_text - spans, numbers, UTF-8, and texts that grow up to a limit. */
#include "base/text.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
test_cuts_at_every_separator(void **state)
{
	static const struct {
		const char *input;
		const char *want;	/* the parts, each in brackets */
	} cases[] = {
		{ "", "[]" },
		{ "a", "[a]" },
		{ "a,b", "[a][b]" },
		{ "a,,b", "[a][][b]" },
		{ ",", "[][]" },
		{ "a,", "[a][]" },
		{ ",a", "[][a]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span rest = span_of(cases[i].input);
		struct text got;

		text_init(&got, arena, 64);
		while (rest.at != NULL) {
			struct span part = span_cut(&rest, ',');

			text_printf(&got, "[%.*s]", SPAN_ARGS(part));
		}
		assert_string_equal(got.at, cases[i].want);
	}
}

static void
test_trims_space_and_tab_only(void **state)
{
	static const struct {
		const char *input, *want;
	} cases[] = {
		{ "", "" }, { " \t ", "" }, { " a ", "a" }, { "a", "a" }, { "\ta b\t", "a b" }, { "\na", "\na" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(span_equals(span_trim(span_of(cases[i].input)), cases[i].want));
}

static void
test_compares_whole_spans(void **state)
{
	(void)state;
	assert_true(span_equals(span_range("abcd", 2), "ab"));
	assert_false(span_equals(span_of("ab"), "abc"));
	assert_false(span_equals(span_of("abc"), "ab"));
	assert_false(span_equals(span_range("a\0b", 3), "a"));
	assert_true(span_equals(span_range(NULL, 0), ""));
	assert_true(span_equals_ignoring_case(span_of("Image/JPEG"), "image/jpeg"));
	assert_false(span_equals_ignoring_case(span_of("image/jpe"), "image/jpeg"));
	assert_true(span_starts_with(span_of("@card"), "@"));
	assert_false(span_starts_with(span_of(""), "@"));
	assert_true(span_starts_with(span_of("x"), ""));
	assert_false(span_starts_with(span_range("card", 2), "car"));
	assert_true(span_starts_with(span_range("card", 2), "ca"));
}

static void
test_reads_unsigned_numbers_strictly(void **state)
{
	static const struct {
		const char *input;
		bool is_number;
		uint64_t want;
	} cases[] = {
		{ "0", true, 0 },
		{ "007", true, 7 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "+1", false, 0 },
		{ "-1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1e3", false, 0 },
		{ "0x10", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 42;
		bool is_number = span_to_u64(span_of(cases[i].input), 0, UINT64_MAX, &got);

		assert_int_equal(is_number, cases[i].is_number);
		assert_true(got == (cases[i].is_number ? cases[i].want : 42));
	}
}

static void
test_holds_numbers_to_their_range(void **state)
{
	uint64_t natural = 0;
	int64_t integer = 0;
	double decimal = 0;

	(void)state;
	assert_true(span_to_u64(span_of("10"), 10, 20, &natural));
	assert_true(span_to_u64(span_of("20"), 10, 20, &natural));
	assert_false(span_to_u64(span_of("9"), 10, 20, &natural));
	assert_false(span_to_u64(span_of("21"), 10, 20, &natural));
	assert_true(span_to_i64(span_of("-5"), -5, 5, &integer) && integer == -5);
	assert_false(span_to_i64(span_of("-6"), -5, 5, &integer));
	assert_false(span_to_i64(span_of("--5"), -5, 5, &integer));
	assert_true(span_to_i64(span_of("9223372036854775807"), INT64_MIN, INT64_MAX, &integer));
	assert_false(span_to_i64(span_of("9223372036854775808"), INT64_MIN, INT64_MAX, &integer));
	assert_true(span_to_double(span_of("0.5"), 0.5, 8, &decimal));
	assert_false(span_to_double(span_of("0.499"), 0.5, 8, &decimal));
	assert_false(span_to_double(span_of("8.001"), 0.5, 8, &decimal));
}

static void
test_reads_plain_decimals_only(void **state)
{
	static const struct {
		const char *input;
		bool is_number;
		double want;
	} cases[] = {
		{ "12", true, 12 },
		{ "-0.5", true, -0.5 },
		{ "0.1", true, 0.1 },
		{ "00.10", true, 0.1 },
		{ "123456789.5", true, 123456789.5 },
		{ "0.123456789", true, 0.123456789 },
		{ "-0", true, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ ".5", false, 0 },
		{ "5.", false, 0 },
		{ "1.2.3", false, 0 },
		{ "1,5", false, 0 },
		{ "1e3", false, 0 },
		{ "nan", false, 0 },
		{ "inf", false, 0 },
		{ "0x1p3", false, 0 },
		{ "1234567890", false, 0 },
		{ "0.1234567890", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double got = 42;
		bool is_number = span_to_double(span_of(cases[i].input), -1e9, 1e9, &got);

		if (is_number != cases[i].is_number || got != (is_number ? cases[i].want : 42))
			fail_msg("'%s' gave %d, %.17g", cases[i].input, is_number, got);
		if (got == 0)
			assert_false(signbit(got));	/* "-0" would be a second text of 0 */
	}
}

static void
test_knows_utf8_from_other_bytes(void **state)
{
	static const struct {
		const char *input;
		bool want;
	} cases[] = {
		{ "", true },
		{ "plain", true },
		{ "\xC3\xA9", true },
		{ "\xE2\x82\xAC", true },
		{ "\xF0\x9F\x98\x80", true },
		{ "\xF4\x8F\xBF\xBF", true },	/* U+10FFFF */
		{ "\x80", false },		/* continues nothing */
		{ "\xC3", false },		/* cut */
		{ "\xE2\x82", false },
		{ "\xC0\xAF", false },		/* overlong "/" */
		{ "\xE0\x80\xAF", false },
		{ "\xF0\x80\x80\xAF", false },
		{ "\xED\xA0\x80", false },	/* surrogate */
		{ "\xF4\x90\x80\x80", false },	/* above U+10FFFF */
		{ "\xFF", false },
		{ "\xC3\x28", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (span_is_utf8(span_of(cases[i].input)) != cases[i].want)
			fail_msg("case %zu", i);
}

static void
test_grows_up_to_its_maximum_and_says_so(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, arena, 100);
	for (int i = 0; i < 10; i++)
		text_add(&text, "0123456789");
	assert_int_equal(text.length, 100);
	assert_false(text.was_cut);
	text_add(&text, "");
	assert_false(text.was_cut);
	text_add_char(&text, 'x');
	assert_true(text.was_cut);
	assert_int_equal(text.length, 100);
	assert_int_equal(strlen(text.at), 100);
}

static void
test_keeps_the_beginning_of_what_is_cut(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, arena, 5);
	text_add(&text, "abcdefgh");
	assert_string_equal(text.at, "abcde");
	text_init(&text, arena, 0);
	assert_string_equal(text.at, "");
	text_add(&text, "a");
	assert_true(text.was_cut);
}

static void
test_formats_what_is_longer_than_its_own_buffer(void **state)
{
	struct text text;
	char word[401];

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[400] = '\0';
	text_init(&text, arena, 1000);
	text_printf(&text, "%s|%d", word, 7);
	assert_int_equal(text.length, 402);
	assert_string_equal(text.at + 400, "|7");
}

static void
test_prints_whole_numbers(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 9, 10, 99, 100, 4294967296, INT64_MAX, UINT64_MAX };
	struct text got;

	(void)state;
	text_init(&got, arena, 100);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char want[32];

		snprintf(want, sizeof(want), "%" PRIu64, numbers[i]);
		text_clear(&got);
		text_add_u64(&got, numbers[i]);
		assert_string_equal(got.at, want);
	}
}

static void
test_begins_anew_as_if_nothing_had_been_cut(void **state)
{
	struct text text;

	(void)state;
	text_init(&text, arena, 3);
	text_add(&text, "four");
	assert_true(text.was_cut);
	text_clear(&text);
	assert_string_equal(text.at, "");
	text_add(&text, "abc");
	assert_string_equal(text.at, "abc");
	assert_false(text.was_cut);
}

static void
test_prints_the_shortest_decimal(void **state)
{
	static const struct {
		double input;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 1, "1" },
		{ 0.25, "0.25" },
		{ -1.5, "-1.5" },
		{ 0.1, "0.1" },
		{ 100, "100" },
		{ 0.000001, "0.000001" },
		{ 0.0000004, "0" },
		{ -0.0000004, "0" },
		{ 0.9999999, "1" },
		{ 1234567.125, "1234567.125" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text got;

		text_init(&got, arena, 64);
		text_add_double(&got, cases[i].input);
		assert_string_equal(got.at, cases[i].want);
	}
}

static void
test_prints_and_reads_decimals_without_the_locale(void **state)
{
	struct text got;
	double value = 0;

	(void)state;
	/* Not every machine has it; without it the test still holds. */
	setlocale(LC_ALL, "de_DE.UTF-8");
	text_init(&got, arena, 64);
	text_add_double(&got, 1234.5);
	assert_string_equal(got.at, "1234.5");
	assert_true(span_to_double(span_of("1234.5"), 0, 9999, &value) && value == 1234.5);
	setlocale(LC_ALL, "C");
}

static void
test_reads_back_every_millionth_it_prints(void **state)
{
	(void)state;
	for (unsigned parts = 0; parts <= 1000000; parts += 37) {
		double value = parts / 1000000.0, again = -1;
		struct text text;

		text_init(&text, arena, 16);
		text_add_double(&text, value);
		assert_true(span_to_double(text_span(&text), 0, 1, &again));
		assert_true(again == value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts_at_every_separator),
		cmocka_unit_test(test_trims_space_and_tab_only),
		cmocka_unit_test(test_compares_whole_spans),
		cmocka_unit_test(test_reads_unsigned_numbers_strictly),
		cmocka_unit_test(test_holds_numbers_to_their_range),
		cmocka_unit_test(test_reads_plain_decimals_only),
		cmocka_unit_test(test_knows_utf8_from_other_bytes),
		cmocka_unit_test(test_grows_up_to_its_maximum_and_says_so),
		cmocka_unit_test(test_keeps_the_beginning_of_what_is_cut),
		cmocka_unit_test(test_formats_what_is_longer_than_its_own_buffer),
		cmocka_unit_test(test_prints_whole_numbers),
		cmocka_unit_test(test_begins_anew_as_if_nothing_had_been_cut),
		cmocka_unit_test(test_prints_the_shortest_decimal),
		cmocka_unit_test(test_prints_and_reads_decimals_without_the_locale),
		cmocka_unit_test(test_reads_back_every_millionth_it_prints),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
