/* test_timestamp - moments as S3 writes them. */
#include "origin/timestamp.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void
test_reads_the_dates_of_http(void **state)
{
	static const struct { const char *text; int64_t want; } table[] = {	/* -1: refused */
		{ "Fri, 24 May 2013 00:00:00 GMT", 1369353600 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
		{ "Thu, 29 Feb 2023 00:00:00 GMT", -1 },
		{ "Fri, 31 Apr 2013 00:00:00 GMT", -1 },
		{ "Fri, 24 may 2013 00:00:00 GMT", -1 },
		{ "Fri, 24 anF 2013 00:00:00 GMT", -1 },
		{ "Fri, 24 May 1969 00:00:00 GMT", -1 },
		{ "Fri, 24 May 2013 24:00:00 GMT", -1 },
		{ "Fri, 24 May 2013 00:60:00 GMT", -1 },
		{ "Fri, 24 May 2013 00:00:61 GMT", -1 },
		{ "Fri, 24 May 2013 00:00:00 UTC", -1 },
		{ "Fri, 24 May 2013 00:00:00 GMT ", -1 },
		{ "Fri, -4 May 2013 00:00:00 GMT", -1 },
		{ "Fri, +4 May 2013 00:00:00 GMT", -1 },
		{ "Friday, 24-May-13 00:00:00 GMT", -1 },
		{ "Fri May 24 00:00:00 2013", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t seconds = -1;

		assert_int_equal(timestamp_parse_http(span_of(table[i].text), &seconds),
		    table[i].want != -1);
		assert_int_equal(seconds, table[i].want);
	}
}

static void
test_reads_the_dates_of_listings(void **state)
{
	static const struct { const char *text; int64_t want; } table[] = {
		{ "2013-05-24T00:00:00.000Z", 1369353600 },
		{ "2013-05-24T00:00:00Z", 1369353600 },
		{ "2013-05-24T00:00:00.123456789Z", 1369353600 },
		{ "2024-02-29T23:59:59.999Z", 1709251199 },
		{ "2023-02-29T00:00:00.000Z", -1 },
		{ "2013-13-24T00:00:00.000Z", -1 },
		{ "2013-00-24T00:00:00.000Z", -1 },
		{ "2013-05-24 00:00:00.000Z", -1 },
		{ "2013-05-24T00:00:00.000", -1 },
		{ "2013-05-24T00:00:00.Z", -1 },
		{ "2013-05-24T00:00:00.0x0Z", -1 },
		{ "2013-05-24T00:00:00.1234567890Z", -1 },
		{ "2013-05-24T00:00:00+02:00", -1 },
		{ "Z", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t seconds = -1;

		assert_int_equal(timestamp_parse_iso(span_of(table[i].text), &seconds),
		    table[i].want != -1);
		assert_int_equal(seconds, table[i].want);
	}
}

static void
test_prints_the_form_that_is_signed(void **state)
{
	char text[TIMESTAMP_AMZ + 1];

	(void)state;
	timestamp_print_amz(0, text);
	assert_string_equal(text, "19700101T000000Z");
	timestamp_print_amz(1709251199, text);
	assert_string_equal(text, "20240229T235959Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_the_dates_of_http),
		cmocka_unit_test(test_reads_the_dates_of_listings),
		cmocka_unit_test(test_prints_the_form_that_is_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
