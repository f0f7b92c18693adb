/* The envelope of a value that lies with a peer. */
#include "peers/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

static void
test_writes_the_documented_line(void **state)
{
	struct key key = key_of(span_of("an asset"));
	struct span wrapped = envelope_wrap(&key, span_of("abc"), arena);

	(void)state;
	/* printf 'an asset' | sha256sum; printf abc | sha256sum */
	assert_string_equal(wrapped.at,
	    "vitrine 1 ed30e78885a006305ad12c0ad1b686ea 00000003 ba7816bf8f01cfea\nabc");
	assert_int_equal(wrapped.length, ENVELOPE_BYTES + 3);
}

static void
test_opens_what_was_wrapped(void **state)
{
	static const struct span values[] = {
		{ "", 0 }, { "a", 1 }, { "a\0b\n", 4 }, { "vitrine 1 ", 10 }
	};
	struct key key = key_of(span_of("name"));

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct span inside = { NULL, 0 };

		assert_true(envelope_open(&key, envelope_wrap(&key, values[i], arena), &inside));
		assert_int_equal(inside.length, values[i].length);
		assert_memory_equal(inside.at, values[i].at, values[i].length);
	}
}

static void
test_refuses_another_keys_value(void **state)
{
	struct key ours = key_of(span_of("ours")), theirs = key_of(span_of("theirs"));
	struct span inside;

	(void)state;
	assert_false(envelope_open(&ours, envelope_wrap(&theirs, span_of("value"), arena), &inside));
}

static void
test_refuses_every_cut_and_every_longer_value(void **state)
{
	struct key key = key_of(span_of("name"));
	struct span whole = envelope_wrap(&key, span_of("a value"), arena), inside;
	char *longer = arena_copy_bytes(arena, whole.at, whole.length + 1);

	(void)state;
	for (size_t length = 0; length < whole.length; length++)
		assert_false(envelope_open(&key,
		    span_range(arena_copy_bytes(arena, whole.at, length), length), &inside));
	assert_false(envelope_open(&key, span_range(longer, whole.length + 1), &inside));
}

static void
test_refuses_every_changed_byte(void **state)
{
	struct key key = key_of(span_of("name"));
	struct span whole = envelope_wrap(&key, span_of("a value"), arena), inside;

	(void)state;
	for (size_t i = 0; i < whole.length; i++) {
		char *changed = arena_copy_bytes(arena, whole.at, whole.length);

		changed[i] ^= 1;
		assert_false(envelope_open(&key, span_range(changed, whole.length), &inside));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_the_documented_line),
		cmocka_unit_test(test_opens_what_was_wrapped),
		cmocka_unit_test(test_refuses_another_keys_value),
		cmocka_unit_test(test_refuses_every_cut_and_every_longer_value),
		cmocka_unit_test(test_refuses_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
