/* test_hints - what clients say about themselves, and what is no hint. */
#include "http/hints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_save_data_is_on_or_nothing(void **state)
{
	static const struct {
		const char *field;
		bool want;
	} cases[] = {
		{ "on", true }, { " On ", true }, { "on; reason=metered", true }, { "off, on", true },
		{ "", false }, { "off", false }, { "1", false }, { "one", false }, { "o n", false }, { "x=on", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (hint_saves_data(span_of(cases[i].field)) != cases[i].want)
			fail_msg("Save-Data: %s", cases[i].field);
	assert_false(hint_saves_data(span_range(NULL, 0)));
}

static void
test_width_is_a_whole_number(void **state)
{
	static const struct {
		const char *field;
		unsigned want;	/* 0: no hint */
	} cases[] = {
		{ "640", 640 }, { " 1 ", 1 }, { "65535", 65535 }, { "0640", 640 },
		{ "", 0 }, { "0", 0 }, { "65536", 0 }, { "-1", 0 }, { "640.5", 0 }, { "640px", 0 }, { "1e3", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned width = 0;
		bool is_hint = hint_width(span_of(cases[i].field), &width);

		if (is_hint != (cases[i].want != 0) || width != cases[i].want)
			fail_msg("Width: %s gave %u", cases[i].field, width);
	}
}

static void
test_dpr_has_decimals(void **state)
{
	static const struct {
		const char *field;
		double want;	/* 0: no hint */
	} cases[] = {
		{ "2", 2 }, { "1.5", 1.5 }, { " 0.75 ", 0.75 }, { "100", 100 }, { "1.100000023841858", 1.1 },
		{ "1.0000001", 1 },
		{ "", 0 }, { "0", 0 }, { "0.0", 0 }, { "100.1", 0 }, { "-2", 0 }, { "2x", 0 }, { "nan", 0 },
		{ ".5", 0 }, { "1.", 0 }, { "1e1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double dpr = 0;
		bool is_hint = hint_dpr(span_of(cases[i].field), &dpr);

		if (is_hint != (cases[i].want > 0) || dpr != cases[i].want)
			fail_msg("DPR: %s gave %g", cases[i].field, dpr);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_save_data_is_on_or_nothing),
		cmocka_unit_test(test_width_is_a_whole_number),
		cmocka_unit_test(test_dpr_has_decimals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
