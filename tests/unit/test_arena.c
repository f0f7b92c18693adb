/* test_arena - memory for one request, and what is released with it. */
#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static void
test_gives_zeroed_aligned_memory_every_time(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 300; size++) {
			unsigned char *object = arena_alloc(arena, size);

			assert_int_equal((uintptr_t)object % alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(object[i], 0);
			memset(object, 0xA5, size);
		}
		arena_reset(arena);
	}
	arena_free(arena);
}

static void
test_keeps_objects_apart(void **state)
{
	enum { OBJECTS = 500 };
	struct arena *arena = arena_new();
	unsigned char *objects[OBJECTS];

	(void)state;
	for (size_t i = 0; i < OBJECTS; i++) {
		objects[i] = arena_alloc(arena, 1 + i);
		memset(objects[i], (int)(i & 0xFF), 1 + i);
	}
	for (size_t i = 0; i < OBJECTS; i++)
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(objects[i][k], i & 0xFF);
	arena_free(arena);
}

static void
test_gives_more_than_a_block_at_once(void **state)
{
	struct arena *arena = arena_new();
	char *large = arena_alloc(arena, 1 << 20);
	char *small = arena_alloc(arena, 1);

	(void)state;
	memset(large, 'x', 1 << 20);
	assert_int_equal(*small, 0);
	arena_reset(arena);
	large = arena_alloc(arena, 1 << 20);
	assert_int_equal(large[(1 << 20) - 1], 0);
	arena_free(arena);
}

static void
test_copies_and_formats_text(void **state)
{
	struct arena *arena = arena_new();
	char *copy = arena_copy_bytes(arena, "a\0bX", 3);

	(void)state;
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(arena_copy_string(arena, "word"), "word");
	assert_string_equal(arena_copy_bytes(arena, NULL, 0), "");
	assert_string_equal(arena_printf(arena, "%s-%03d", "x", 7), "x-007");
	arena_free(arena);
}

static char order[8];

static void
note(void *object)
{
	strncat(order, object, sizeof(order) - strlen(order) - 1);
}

static void
test_releases_the_newest_first_and_once(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	order[0] = '\0';
	arena_defer(arena, note, "1");
	arena_defer(arena, note, "2");
	arena_defer(arena, note, "3");
	assert_string_equal(order, "");
	arena_release(arena);
	assert_string_equal(order, "321");
	arena_reset(arena);
	arena_free(arena);
	assert_string_equal(order, "321");
}

static void
test_closes_deferred_descriptors(void **state)
{
	struct arena *arena = arena_new();
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_not_equal(fd, -1);
	arena_defer_close(arena, fd);
	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	arena_free(arena);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void
test_frees_nothing_for_null(void **state)
{
	(void)state;
	arena_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_zeroed_aligned_memory_every_time),
		cmocka_unit_test(test_keeps_objects_apart),
		cmocka_unit_test(test_gives_more_than_a_block_at_once),
		cmocka_unit_test(test_copies_and_formats_text),
		cmocka_unit_test(test_releases_the_newest_first_and_once),
		cmocka_unit_test(test_closes_deferred_descriptors),
		cmocka_unit_test(test_frees_nothing_for_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
