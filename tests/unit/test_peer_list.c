/* The list of peers, as the configuration writes it. */
#include "peers/peer_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_reads_hosts_and_ports_in_order(void **state)
{
	static const struct {
		const char *text;
		unsigned count;
		struct peer_address last;
	} cases[] = {
		{ "", 0, { "", 0 } },
		{ "  ", 0, { "", 0 } },
		{ "127.0.0.1:11211", 1, { "127.0.0.1", 11211 } },
		{ "a:1,b:2", 2, { "b", 2 } },
		{ " a:1 , cache-2.example_x.org:65535 ", 2, { "cache-2.example_x.org", 65535 } },
		{ "a:1,a:2", 2, { "a", 2 } },
		{ "[2001:db8::1]:11211", 1, { "2001:db8::1", 11211 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer_list list;
		struct failure why = { 0 };

		assert_true(peer_list_parse(span_of(cases[i].text), &list, &why));
		assert_int_equal(list.count, cases[i].count);
		if (list.count > 0) {
			assert_string_equal(list.peers[list.count - 1].host, cases[i].last.host);
			assert_int_equal(list.peers[list.count - 1].port, cases[i].last.port);
		}
	}
}

static void
test_refuses_and_names_the_wrong_entry(void **state)
{
	static const struct {
		const char *text, *named;
	} cases[] = {
		{ "a", "\"a\"" },
		{ ":11211", "\":11211\"" },
		{ "a:", "\"a:\"" },
		{ "a:0", "\"a:0\"" },
		{ "a:65536", "\"a:65536\"" },
		{ "a:x", "\"a:x\"" },
		{ "a:1,", "\"\"" },
		{ "a:1,,b:2", "\"\"" },
		{ "a b:1", "\"a b:1\"" },
		{ "2001:db8::1:11211", "\"2001:db8::1:11211\"" },
		{ "[]:1", "\"[]:1\"" },
		{ "/run/memcached.sock", "\"/run/memcached.sock\"" },
		{ "a:1,b:2,a:1", "a:1 is listed twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer_list list;
		struct failure why = { 0 };

		assert_false(peer_list_parse(span_of(cases[i].text), &list, &why));
		assert_int_equal(why.kind, FAIL_INTERNAL);
		assert_non_null(strstr(why.detail, cases[i].named));
	}
}

static void
test_takes_the_maximum_and_no_more(void **state)
{
	char text[(PEERS_MAX + 1) * 8] = "";
	struct peer_list list;
	struct failure why = { 0 };
	size_t length = 0, length_of_maximum = 0;

	(void)state;
	for (int i = 0; i <= PEERS_MAX; i++) {
		length_of_maximum = length;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%sh%d:1", i > 0 ? "," : "", i);
	}
	assert_true(peer_list_parse(span_range(text, length_of_maximum), &list, &why));
	assert_int_equal(list.count, PEERS_MAX);
	assert_false(peer_list_parse(span_range(text, length), &list, &why));
	assert_non_null(strstr(why.detail, "more than 64"));
}

static void
test_refuses_a_host_name_that_is_too_long(void **state)
{
	char text[PEER_HOST_MAX + 3];
	struct peer_list list;
	struct failure why = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + PEER_HOST_MAX, ":1", 2);
	assert_true(peer_list_parse(span_range(text, PEER_HOST_MAX + 2), &list, &why));
	memcpy(text + PEER_HOST_MAX, "a:1", 3);
	assert_false(peer_list_parse(span_range(text, PEER_HOST_MAX + 3), &list, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_hosts_and_ports_in_order),
		cmocka_unit_test(test_refuses_and_names_the_wrong_entry),
		cmocka_unit_test(test_takes_the_maximum_and_no_more),
		cmocka_unit_test(test_refuses_a_host_name_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
