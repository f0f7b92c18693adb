/* test_conditional - entity tags in If-None-Match (weak) and If-Match (strong). */
#include "http/conditional.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void
test_finds_a_tag_in_a_list(void **state)
{
	static const struct {
		const char *field;
		bool none_match, match;
	} cases[] = {
		{ "\"abc\"", true, true },
		{ "W/\"abc\"", true, false },
		{ "*", true, true },
		{ " * ", true, true },
		{ "\"x\", \"abc\"", true, true },
		{ "\"x\",\"abc\",W/\"y\"", true, true },
		{ "W/\"abc\", \"abc\"", true, true },
		{ ", ,\"abc\" ,, ", true, true },
		{ "\"a,b\", \"abc\"", true, true },
		{ "\"\x80\xff\", \"abc\"", true, true },
		{ "", false, false },
		{ ",", false, false },
		{ "\"abcd\"", false, false },
		{ "\"ab\"", false, false },
		{ "\"ABC\"", false, false },
		{ "\"\"", false, false },
		/* malformed: one fault spoils the list, for nobody knows what else was meant */
		{ "abc", false, false },
		{ "\"abc", false, false },
		{ "abc\"", false, false },
		{ "w/\"abc\"", false, false },
		{ "W/ \"abc\"", false, false },
		{ "W/", false, false },
		{ "W", false, false },
		{ "\"", false, false },
		{ "\"abc\" \"x\"", false, false },
		{ "\"abc\"\"x\"", false, false },
		{ "\"abc\", x", false, false },
		{ "\"abc\", *", false, false },
		{ "*, \"abc\"", false, false },
		{ "\"abc\", \"a b\"", false, false },
		{ "\"abc\", \"a\x7f\"", false, false },
		{ "**", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span field = span_of(cases[i].field);

		if (conditional_none_match_hits(field, "\"abc\"") != cases[i].none_match ||
		    conditional_match_hits(field, "\"abc\"") != cases[i].match)
			fail_msg("'%s'", cases[i].field);
		/* Our own weak tag is named by the same lists, and matched by none but "*". */
		if (conditional_none_match_hits(field, "W/\"abc\"") != cases[i].none_match ||
		    conditional_match_hits(field, "W/\"abc\"") != span_equals(span_trim(field), "*"))
			fail_msg("'%s', weak", cases[i].field);
	}
}

static void
test_matches_nothing_when_absent(void **state)
{
	struct span absent = { NULL, 0 };

	(void)state;
	assert_false(conditional_none_match_hits(absent, "\"abc\""));
	assert_false(conditional_match_hits(absent, "\"abc\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_a_tag_in_a_list),
		cmocka_unit_test(test_matches_nothing_when_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
