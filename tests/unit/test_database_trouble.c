/* What error numbers mean.  The numbers are written out: they are a protocol. */
#include "catalog/database_trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_sorts_errors_by_what_callers_do(void **state)
{
	static const struct {
		unsigned error;
		enum database_trouble want;
	} cases[] = {
		{ 2002, DATABASE_LOST }, { 2003, DATABASE_LOST }, { 2005, DATABASE_LOST }, { 2006, DATABASE_LOST },
		{ 2013, DATABASE_LOST }, { 2055, DATABASE_LOST }, { 1040, DATABASE_LOST }, { 1053, DATABASE_LOST },
		{ 1205, DATABASE_LOST }, { 1213, DATABASE_LOST }, { 1317, DATABASE_LOST }, { 1927, DATABASE_LOST },
		{ 1969, DATABASE_LOST }, { 3024, DATABASE_LOST }, { 4031, DATABASE_LOST },
		{ 1290, DATABASE_READ_ONLY }, { 1792, DATABASE_READ_ONLY }, { 1836, DATABASE_READ_ONLY },
		{ 1062, DATABASE_DUPLICATE }, { 1586, DATABASE_DUPLICATE },
		{ 1044, DATABASE_REFUSED }, { 1045, DATABASE_REFUSED }, { 1049, DATABASE_REFUSED },
		{ 1064, DATABASE_REFUSED }, { 1146, DATABASE_REFUSED }, { 1406, DATABASE_REFUSED },
		{ 2026, DATABASE_REFUSED }, { 2059, DATABASE_REFUSED }, { 4025, DATABASE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (database_trouble_of(cases[i].error) != cases[i].want)
			fail_msg("error %u gives %d, want %d", cases[i].error,
			    (int)database_trouble_of(cases[i].error), (int)cases[i].want);
}

static void
test_knows_what_is_worth_another_attempt(void **state)
{
	(void)state;
	assert_true(database_error_wants_prepare(1243) && database_error_wants_prepare(1615));
	assert_true(database_error_is_deadlock(1205) && database_error_is_deadlock(1213));
	assert_true(database_error_is_timeout(1969) && database_error_is_timeout(3024));
	assert_false(database_error_wants_prepare(1146) || database_error_is_deadlock(1062) ||
	    database_error_is_timeout(1317));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorts_errors_by_what_callers_do),
		cmocka_unit_test(test_knows_what_is_worth_another_attempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
