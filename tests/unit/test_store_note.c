/* Small texts with an age: read back whole or not at all. */
#include "store_fixture.h"

#include "base/deadline.h"

#include <sys/time.h>

static struct arena *arena;

static void
path_of_note(const struct key *key, char path[STORE_PATH_MAX])
{
	store_file_path(STORE_NOTES, key, path);
}

static void
set_age_s(const struct key *key, int age_s)
{
	char path[STORE_PATH_MAX];
	struct timeval now, times[2];

	path_of_note(key, path);
	gettimeofday(&now, NULL);
	now.tv_sec -= age_s;
	times[0] = times[1] = now;
	assert_int_equal(utimes(below_root(path), times), 0);
}

static void
test_reads_what_was_written(void **state)
{
	struct store *store = open_large_store();
	struct key key = key_number(1);
	struct span text;
	int64_t age_ms;

	(void)state;
	assert_false(store_read_note(store, &key, arena, &text, &age_ms));
	store_write_note(store, &key, span_of("first"));
	store_write_note(store, &key, span_of("second\n"));
	assert_true(store_read_note(store, &key, arena, &text, &age_ms));
	assert_true(span_equals(text, "second\n"));
	assert_in_range(age_ms, 0, 5000);
	store_remove(store, STORE_NOTES, &key);
	assert_false(store_read_note(store, &key, arena, &text, &age_ms));
	store_close(store);
}

/* Reading a variant marks it as used; reading a note must not make it younger. */
static void
test_ages_although_it_is_read(void **state)
{
	struct store *store = open_large_store();
	struct key key = key_number(2);
	struct span text;
	int64_t age_ms;

	(void)state;
	store_write_note(store, &key, span_of("said"));
	set_age_s(&key, 7200);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(store_read_note(store, &key, arena, &text, &age_ms));
		assert_in_range(age_ms, 7199000, 7230000);
	}
	store_confirm_note(store, &key);
	assert_true(store_read_note(store, &key, arena, &text, &age_ms));
	assert_in_range(age_ms, 0, 5000);
	assert_true(span_equals(text, "said"));
	store_close(store);
}

static void
test_a_note_from_the_future_is_old(void **state)
{
	struct store *store = open_large_store();
	struct key key = key_number(3);
	struct span text;
	int64_t age_ms;

	(void)state;
	store_write_note(store, &key, span_of("said"));
	set_age_s(&key, -3600);
	assert_true(store_read_note(store, &key, arena, &text, &age_ms));
	assert_true(age_ms == INT64_MAX);
	store_close(store);
}

static void
test_a_damaged_note_is_none(void **state)
{
	struct store *store = open_large_store();
	struct key key = key_number(4);
	char path[STORE_PATH_MAX];
	struct span text;
	int64_t age_ms;
	int fd;

	(void)state;
	store_write_note(store, &key, span_of("said"));
	path_of_note(&key, path);
	fd = open(below_root(path), O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, 2), 1);
	close(fd);
	assert_false(store_read_note(store, &key, arena, &text, &age_ms));
	assert_int_equal(access(below_root(path), F_OK), -1);
	store_close(store);
}

static void
test_confirming_what_is_not_there_makes_nothing(void **state)
{
	struct store *store = open_large_store();
	struct key key = key_number(5);
	struct span text;
	int64_t age_ms;

	(void)state;
	store_confirm_note(store, &key);
	assert_false(store_read_note(store, &key, arena, &text, &age_ms));
	store_close(store);
}

static int
set_up(void **state)
{
	arena = arena_new();
	return make_root(state);
}

static int
tear_down(void **state)
{
	arena_free(arena);
	return remove_root(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_was_written),
		cmocka_unit_test(test_ages_although_it_is_read),
		cmocka_unit_test(test_a_note_from_the_future_is_old),
		cmocka_unit_test(test_a_damaged_note_is_none),
		cmocka_unit_test(test_confirming_what_is_not_there_makes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
