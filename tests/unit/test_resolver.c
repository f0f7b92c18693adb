/* Addresses and names; names that only DNS knows are in tests/integration/test_14_failover.py. */
#include "base/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_gives_addresses_back_at_once(void **state)
{
	static const struct {
		const char *host, *want;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "10.1.2.3", "10.1.2.3" },
		{ "::1", "::1" },
		{ "2001:DB8::0:1", "2001:db8::1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolver resolver = { 0 };
		struct addresses found;
		struct failure why = { 0 };

		/* Even when there is no time left. */
		assert_true(resolver_find(&resolver, cases[i].host, deadline_in_ms(0), &found, &why));
		assert_int_equal(found.count, 1);
		assert_string_equal(found.texts[0], cases[i].want);
		resolver_release(&resolver);
	}
}

static void
test_knows_this_machine_by_name(void **state)
{
	struct resolver resolver = { 0 };
	struct addresses found;
	struct failure why = { 0 };

	(void)state;
	assert_true(resolver_find(&resolver, "localhost", deadline_in_ms(5000), &found, &why));
	assert_true(found.count >= 1);
	for (unsigned i = 0; i < found.count; i++)
		assert_true(strcmp(found.texts[i], "127.0.0.1") == 0 || strcmp(found.texts[i], "::1") == 0);
	resolver_release(&resolver);
}

/* RFC 6761, section 6.4: nobody has a name below "invalid". */
static void
test_does_not_wait_longer_than_it_may(void **state)
{
	struct resolver resolver = { 0 };
	struct addresses found;
	struct failure why = { 0 };
	int64_t started_us = monotonic_us();

	(void)state;
	assert_false(resolver_find(&resolver, "nobody.invalid", deadline_in_ms(300), &found, &why));
	assert_true(monotonic_us() - started_us < 600 * 1000);
	assert_true(why.kind == FAIL_TIMEOUT || why.kind == FAIL_UNAVAILABLE);
	assert_non_null(strstr(why.detail, "nobody.invalid"));
	resolver_release(&resolver);
}

static void
test_lives_on_what_it_knew_for_a_while(void **state)
{
	struct resolver resolver = {
		.known = { .texts = { "192.0.2.7" }, .count = 1 },
		.known_until = deadline_in_ms(60000)
	};
	struct addresses found;
	struct failure why = { 0 };

	(void)state;
	assert_true(resolver_find(&resolver, "nobody.invalid", deadline_in_ms(300), &found, &why));
	assert_int_equal(found.count, 1);
	assert_string_equal(found.texts[0], "192.0.2.7");
	resolver.known_until = deadline_in_ms(0);
	assert_false(resolver_find(&resolver, "nobody.invalid", deadline_in_ms(300), &found, &why));
	resolver_release(&resolver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_addresses_back_at_once),
		cmocka_unit_test(test_knows_this_machine_by_name),
		cmocka_unit_test(test_does_not_wait_longer_than_it_may),
		cmocka_unit_test(test_lives_on_what_it_knew_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
