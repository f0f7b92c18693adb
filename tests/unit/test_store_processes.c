/* Many processes on one store, some of them killed at any moment. */
#include "store_fixture.h"

#include "base/deadline.h"
#include "store/eviction.h"

#include <signal.h>

enum { KEYS = 50 };

/* Contents differ between writes of one key: the size says which it is. */
static size_t
size_of_turn(unsigned number, unsigned turn)
{
	return 2000 + 37 * number + 5000 * (turn % 4);
}

static bool
is_right(const struct store_file *file, unsigned number)
{
	for (unsigned turn = 0; turn < 4; turn++)
		if (file->bytes == size_of_turn(number, turn))
			return holds(file->fd, number, file->bytes);
	return false;
}

/* Commits and finds until the time is over; the exit status says what went wrong. */
static void
work(struct store *store, unsigned seed, int64_t until_us)
{
	for (unsigned i = seed; monotonic_us() < until_us; i = i * 1664525u + 1013904223u) {
		unsigned number = (i >> 16) % KEYS;
		struct key key = key_number(number);
		struct failure why = { 0 };
		struct store_file file;

		if ((i >> 8) % 3 == 0) {
			if (!put_file(store, STORE_VARIANTS, number, size_of_turn(number, i >> 24), &file, &why))
				_exit(1);
		} else if (!store_find(store, STORE_VARIANTS, &key, &file)) {
			continue;
		}
		if (!is_right(&file, number))
			_exit(2);
		close(file.fd);
	}
	_exit(0);
}

static pid_t
start_worker(unsigned seed, int ms, uint64_t max_variant_bytes)
{
	pid_t child = fork();

	assert_int_not_equal(child, -1);
	if (child == 0)		/* a store of its own, as under mod_fcgid */
		work(open_store(MEBIBYTE, max_variant_bytes), seed, monotonic_us() + ms * 1000);
	return child;
}

static void
test_never_finds_a_wrong_byte(void **state)
{
	enum { WORKERS = 8 };
	/* Once with room for all, once with constant eviction. */
	static const uint64_t limits[] = { 1 << 30, 300000 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pid_t workers[WORKERS];

		for (unsigned w = 0; w < WORKERS; w++)
			workers[w] = start_worker(w * 7919 + 1, 1000, limits[i]);
		for (unsigned w = 0; w < WORKERS; w++)
			assert_int_equal(end_of(workers[w]), 0);
		tree_bytes("tmp");
		assert_int_equal(tree_files, 0);
	}
}

/* By path and attribute, without store_find(), which would hide a half file. */
static unsigned
count_whole_files(void)
{
	unsigned count = 0;

	for (unsigned number = 0; number < KEYS; number++) {
		struct key key = key_number(number);
		struct store_file file;
		struct record record;
		uint64_t checksum;

		store_file_path(STORE_VARIANTS, &key, file.path);
		file.fd = open(below_root(file.path), O_RDONLY | O_CLOEXEC);
		if (file.fd == -1)
			continue;
		assert_true(record_get(file.fd, &record));
		assert_true(store_checksum(file.fd, &key, &checksum));
		assert_int_equal(record.checksum, checksum);
		file.bytes = record.bytes;
		assert_true(is_right(&file, number));
		close(file.fd);
		count++;
	}
	return count;
}

static void
test_a_kill_at_any_moment_leaves_no_half_file(void **state)
{
	enum { KILLS = 200 };
	struct store *store;
	unsigned seed = 1;

	(void)state;
	store_close(open_large_store());
	for (unsigned i = 0; i < KILLS; i++) {
		pid_t child = start_worker(i, 10000, (uint64_t)1 << 30);

		seed = seed * 1664525u + 1013904223u;
		usleep(1000 + (seed >> 16) % 5000);
		kill(child, SIGKILL);
		assert_int_equal(end_of(child), 128 + SIGKILL);
		if (i % 10 == 0)
			count_whole_files();
	}
	assert_in_range(count_whole_files(), 10, KEYS);
	store = open_large_store();
	tree_bytes("tmp");
	assert_int_equal(tree_files, 0);
	/* Each of the dead may have left one file's bytes in the count. */
	for (unsigned i = 0; i <= USAGE_BUCKETS; i++)
		eviction_count_bucket(store, STORE_VARIANTS, usage_next_to_count(&store->usage, STORE_VARIANTS));
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), tree_bytes("variants"));
	store_close(store);
}

/* Openers that sweep, and writers whose drafts they must not take for leftovers. */
static void
test_opening_never_removes_the_draft_of_a_living_process(void **state)
{
	pid_t workers[2];
	int64_t until_us = monotonic_us() + 500000;

	(void)state;
	for (unsigned w = 0; w < 2; w++)
		workers[w] = start_worker(w, 500, (uint64_t)1 << 30);
	while (monotonic_us() < until_us) {
		struct store *store = open_large_store();

		for (unsigned i = 0; i < 20; i++)
			store_sweep_drafts(store);
		store_close(store);
	}
	for (unsigned w = 0; w < 2; w++)
		assert_int_equal(end_of(workers[w]), 0);
}

/* All start at once on a folder without a usage file, then count together. */
static void
test_many_processes_make_one_usage_file(void **state)
{
	enum { OPENERS = 8 };
	pid_t openers[OPENERS];
	struct store *store;

	(void)state;
	for (unsigned i = 0; i < OPENERS; i++) {
		openers[i] = fork();
		assert_int_not_equal(openers[i], -1);
		if (openers[i] == 0) {
			put(open_large_store(), STORE_VARIANTS, i, 1000);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < OPENERS; i++)
		assert_int_equal(end_of(openers[i]), 0);
	store = open_large_store();
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), OPENERS * 1000);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_processes_make_one_usage_file),
		TEST(test_never_finds_a_wrong_byte),
		TEST(test_a_kill_at_any_moment_leaves_no_half_file),
		TEST(test_opening_never_removes_the_draft_of_a_living_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
