/* The envelope of a value that lies with a peer. */
#include "peers/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static const struct span none = { "", 0 }, secret = { "only the servers know", 21 };

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

static void
test_writes_the_documented_line(void **state)
{
	struct key key = key_of(span_of("an asset"));
	struct span wrapped = envelope_wrap(&key, none, span_of("abc"), arena);
	struct span sealed = envelope_wrap(&key, secret, span_of("abc"), arena);

	(void)state;
	/* printf 'an asset' | sha256sum; then, of its first 32 digits,
	 * printf 'ed30e78885a006305ad12c0ad1b686ea 00000003\nabc' | sha256sum
	 * ... | openssl dgst -sha256 -hmac 'only the servers know' */
	assert_string_equal(wrapped.at,
	    "vitrine 2 26b839314f4202a473b58c3ae40f9551 ed30e78885a006305ad12c0ad1b686ea 00000003\nabc");
	assert_int_equal(wrapped.length, ENVELOPE_BYTES + 3);
	assert_string_equal(sealed.at,
	    "vitrine 2 727774e34afab02a50f84411e05b0802 ed30e78885a006305ad12c0ad1b686ea 00000003\nabc");
}

static void
test_opens_what_was_wrapped(void **state)
{
	static const struct span values[] = {
		{ "", 0 }, { "a", 1 }, { "a\0b\n", 4 }, { "vitrine 2 ", 10 }
	};
	struct key key = key_of(span_of("name"));

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct span inside = { NULL, 0 };

		assert_true(envelope_open(&key, none, envelope_wrap(&key, none, values[i], arena), &inside));
		assert_int_equal(inside.length, values[i].length);
		assert_memory_equal(inside.at, values[i].at, values[i].length);
		assert_true(envelope_open(&key, secret, envelope_wrap(&key, secret, values[i], arena), &inside));
		assert_memory_equal(inside.at, values[i].at, values[i].length);
	}
}

static void
test_refuses_what_was_sealed_with_another_secret(void **state)
{
	static const struct span secrets[] = {
		{ "", 0 }, { "only the servers know", 21 }, { "only the servers knew", 21 }, { "only the servers know ", 22 }
	};
	struct key key = key_of(span_of("name"));
	struct span inside;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(envelope_open(&key, secrets[i],
			    envelope_wrap(&key, secrets[j], span_of("value"), arena), &inside), i == j);
}

/* The value and seal of another key under our key's name: the seal covers the name. */
static void
test_refuses_a_value_that_was_moved_to_another_key(void **state)
{
	struct key ours = key_of(span_of("ours")), theirs = key_of(span_of("theirs"));
	struct span wrapped = envelope_wrap(&theirs, secret, span_of("value"), arena), inside;
	char *moved = arena_copy_bytes(arena, wrapped.at, wrapped.length);

	(void)state;
	memcpy(strstr(moved, theirs.hex), ours.hex, KEY_HEX);
	assert_false(envelope_open(&ours, secret, span_range(moved, wrapped.length), &inside));
}

static void
test_refuses_another_keys_value(void **state)
{
	struct key ours = key_of(span_of("ours")), theirs = key_of(span_of("theirs"));
	struct span inside;

	(void)state;
	assert_false(envelope_open(&ours, none, envelope_wrap(&theirs, none, span_of("value"), arena), &inside));
}

static void
test_refuses_every_cut_and_every_longer_value(void **state)
{
	struct key key = key_of(span_of("name"));
	struct span whole = envelope_wrap(&key, secret, span_of("a value"), arena), inside;
	char *longer = arena_copy_bytes(arena, whole.at, whole.length + 1);

	(void)state;
	for (size_t length = 0; length < whole.length; length++)
		assert_false(envelope_open(&key, secret,
		    span_range(arena_copy_bytes(arena, whole.at, length), length), &inside));
	assert_false(envelope_open(&key, secret, span_range(longer, whole.length + 1), &inside));
}

static void
test_refuses_every_changed_byte(void **state)
{
	struct key key = key_of(span_of("name"));
	struct span whole = envelope_wrap(&key, secret, span_of("a value"), arena), inside;

	(void)state;
	for (size_t i = 0; i < whole.length; i++) {
		char *changed = arena_copy_bytes(arena, whole.at, whole.length);

		changed[i] ^= 1;
		assert_false(envelope_open(&key, secret, span_range(changed, whole.length), &inside));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_the_documented_line),
		cmocka_unit_test(test_opens_what_was_wrapped),
		cmocka_unit_test(test_refuses_what_was_sealed_with_another_secret),
		cmocka_unit_test(test_refuses_a_value_that_was_moved_to_another_key),
		cmocka_unit_test(test_refuses_another_keys_value),
		cmocka_unit_test(test_refuses_every_cut_and_every_longer_value),
		cmocka_unit_test(test_refuses_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
