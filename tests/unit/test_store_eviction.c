/* Bounded in bytes, the least recently used first, and a count that heals. */
#include "store_fixture.h"

#include "store/eviction.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

enum { SMALL = 10000 };

/* The same samples in every run. */
static struct store *
open_with_fixed_seed(uint64_t max_variant_bytes)
{
	struct store *store = open_store(MEBIBYTE, max_variant_bytes);

	store->random_state = 1;
	store->random_owner = getpid();
	return store;
}

/* One writer and exact numbers: no slack at all. */
static void
test_never_exceeds_the_limit(void **state)
{
	struct store *store = open_with_fixed_seed(1000000);

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		put(store, STORE_VARIANTS, i, SMALL);
		if (i % 50 == 0 || i > 4990)
			assert_true(tree_bytes("variants") <= 1000000);
	}
	assert_int_equal(tree_bytes("variants"), believed_bytes(store, STORE_VARIANTS));
	assert_true(tree_bytes("variants") > 900000);
	store_close(store);
}

/* A walk through a tree that changes is no snapshot, so the writers stand still. */
static uint64_t
tree_bytes_while_stopped(const pid_t *writers, unsigned count)
{
	uint64_t bytes;
	int status;

	for (unsigned i = 0; i < count; i++) {
		kill(writers[i], SIGSTOP);
		assert_int_equal(waitpid(writers[i], &status, WUNTRACED), writers[i]);
		assert_true(WIFSTOPPED(status));
	}
	bytes = tree_bytes("variants");
	for (unsigned i = 0; i < count; i++)
		kill(writers[i], SIGCONT);
	return bytes;
}

/* Until it is killed; by us, or by our end. */
static void
write_for_ever(struct store *store, unsigned first)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = first;; i++) {
		struct failure why = { 0 };
		struct store_file file;

		if (!put_file(store, STORE_VARIANTS, i, SMALL, &file, &why))
			_exit(1);
		close(file.fd);
	}
}

/* Writers at the same time count their bytes before they look for room.  What they have counted is forgotten
 * when the sum is made anew (usage.h), so there may be as much again. */
static void
test_never_exceeds_the_limit_with_several_writers(void **state)
{
	enum { WRITERS = 4, LIMIT = 300000, SLACK = 2 * WRITERS * SMALL };
	struct store *store = open_with_fixed_seed(LIMIT);
	pid_t writers[WRITERS];

	(void)state;
	for (unsigned w = 0; w < WRITERS; w++) {
		writers[w] = fork();
		assert_int_not_equal(writers[w], -1);
		if (writers[w] == 0)
			write_for_ever(store, w * 1000000);
	}
	for (unsigned i = 0; i < 50; i++) {
		usleep(20000);
		/* A look that races with a commit may miss that one file. */
		assert_true(tree_bytes_while_stopped(writers, WRITERS) <= LIMIT + SLACK);
	}
	assert_true(tree_bytes_while_stopped(writers, WRITERS) > LIMIT / 2);
	for (unsigned w = 0; w < WRITERS; w++) {
		kill(writers[w], SIGKILL);
		assert_int_equal(end_of(writers[w]), 128 + SIGKILL);
	}
	store_close(store);
}

static void
set_age(unsigned number, time_t seconds)
{
	struct timespec times[2] = { { time(NULL) - seconds, 0 }, { time(NULL) - seconds, 0 } };
	struct key key = key_number(number);
	char path[STORE_PATH_MAX];

	store_file_path(STORE_VARIANTS, &key, path);
	assert_int_equal(utimensat(AT_FDCWD, below_root(path), times, 0), 0);
}

/* Files of yesterday, every other one used today; then half of them must go. */
static void
check_what_is_kept(unsigned files, size_t bytes)
{
	struct store *store = open_with_fixed_seed(files * bytes);
	unsigned used_left = 0, unused_left = 0;

	for (unsigned i = 0; i < files; i++) {
		put(store, STORE_VARIANTS, i, bytes);
		set_age(i, 86400);
	}
	for (unsigned i = 0; i < files; i += 2)
		assert_true(find(store, STORE_VARIANTS, i));
	for (unsigned i = 0; i < files / 2; i++)
		put(store, STORE_VARIANTS, files + i, bytes);
	for (unsigned i = 0; i < files; i++)
		if (has(store, STORE_VARIANTS, i))
			i % 2 == 0 ? used_left++ : unused_left++;
	print_message("of %u used files %u are left, of as many unused ones %u\n", files / 2, used_left, unused_left);
	assert_true(used_left >= files / 2 * 3 / 4);
	assert_true(unused_left <= files / 2 / 4);
	store_close(store);
}

static void
test_keeps_what_was_used_lately(void **state)
{
	(void)state;
	check_what_is_kept(400, SMALL);
}

static void
test_keeps_what_was_used_lately_when_several_go_at_once(void **state)
{
	(void)state;
	check_what_is_kept(1000, 100);
}

/* ---- ahead of need -------------------------------------------------------------- */

static void
fill(struct store *store, unsigned files, size_t bytes)
{
	for (unsigned i = 0; i < files; i++)
		put(store, STORE_VARIANTS, i, bytes);
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), files * bytes);
}

/* 32 files are seen and four of them go. */
static void
test_makes_room_for_four_small_files_at_once(void **state)
{
	enum { FILES = 1000, BYTES = 100, LIMIT = FILES * BYTES };
	struct store *store = open_with_fixed_seed(LIMIT);
	unsigned evicting = 0;

	(void)state;
	fill(store, FILES, BYTES);
	for (unsigned i = 0; i < 400; i++) {
		uint64_t before = believed_bytes(store, STORE_VARIANTS), after;

		put(store, STORE_VARIANTS, FILES + i, BYTES);
		after = believed_bytes(store, STORE_VARIANTS);
		assert_in_range(after, LIMIT - LIMIT / 256, LIMIT);
		evicting += after < before + BYTES;
	}
	print_message("%u of 400 commits evicted\n", evicting);
	assert_in_range(evicting, 400 / 5, 400 / 3);
	assert_int_equal(tree_bytes("variants"), believed_bytes(store, STORE_VARIANTS));
	store_close(store);
}

static void
test_evicts_no_large_file_ahead(void **state)
{
	enum { FILES = 200, BYTES = 1000, LIMIT = FILES * BYTES };
	struct store *store = open_with_fixed_seed(LIMIT);

	(void)state;
	fill(store, FILES, BYTES);
	for (unsigned i = 0; i < 400; i++) {
		put(store, STORE_VARIANTS, FILES + i, BYTES);
		assert_int_equal(believed_bytes(store, STORE_VARIANTS), LIMIT);
	}
	assert_int_equal(tree_bytes("variants"), LIMIT);
	store_close(store);
}

static void
test_one_large_file_drives_out_many_small_ones(void **state)
{
	struct store *store = open_with_fixed_seed(1000000);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	put(store, STORE_VARIANTS, 200, 800000);
	assert_true(find(store, STORE_VARIANTS, 200));
	assert_in_range(tree_bytes("variants"), 900000, 1000000);
	store_close(store);
}

static void
test_counts_each_part_for_itself(void **state)
{
	struct store *store = open_with_fixed_seed(1000000);
	uint64_t bytes, limit;

	(void)state;
	put(store, STORE_VARIANTS, 1, SMALL);
	put(store, STORE_ORIGINALS, 1, 500000);
	store_usage(store, STORE_VARIANTS, &bytes, &limit);
	assert_int_equal(bytes, SMALL);
	assert_int_equal(limit, 1000000);
	store_usage(store, STORE_ORIGINALS, &bytes, &limit);
	assert_int_equal(bytes, 500000);
	assert_int_equal(limit, MEBIBYTE);
	store_close(store);
}

static void
test_several_processes_share_one_count(void **state)
{
	struct store *store = open_with_fixed_seed(1000000);
	struct store *other = open_with_fixed_seed(1000000);
	struct key key = key_number(1);

	(void)state;
	put(store, STORE_VARIANTS, 1, SMALL);
	put(other, STORE_VARIANTS, 2, SMALL);
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), 2 * SMALL);
	assert_int_equal(believed_bytes(other, STORE_VARIANTS), 2 * SMALL);
	store_remove(other, STORE_VARIANTS, &key);
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), SMALL);
	store_close(other);
	store_close(store);
}

/* ---- healing ----------------------------------------------------------------- */

/* Somebody removed the files: the store notices while it looks for room, and
 * does not evict what has been written since. */
static void
test_heals_when_files_were_deleted_behind_its_back(void **state)
{
	struct store *store = open_with_fixed_seed(1000000);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	remove_tree(below_root("variants"));
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), 1000000);
	for (unsigned i = 100; i < 150; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	for (unsigned i = 100; i < 150; i++)
		assert_true(has(store, STORE_VARIANTS, i));
	for (unsigned i = 150; i < 250; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	assert_int_equal(tree_bytes("variants"), believed_bytes(store, STORE_VARIANTS));
	assert_in_range(tree_bytes("variants"), 900000, 1000000);
	store_close(store);
}

/* One commit looks at 16 directories: 4096 commits look at all of them. */
static void
put_until_counted(struct store *store)
{
	unsigned puts = 0;

	assert_false(usage_is_counted(&store->usage, STORE_VARIANTS));
	for (; !usage_is_counted(&store->usage, STORE_VARIANTS); puts++)
		put(store, STORE_VARIANTS, 1000 + puts % 10, 100);
	put(store, STORE_VARIANTS, 1000, 100);
	assert_true(puts <= 4096);
}

static void
remove_usage(void)
{
	assert_int_equal(unlink(below_root("usage")), 0);
}

static void
cut_usage(void)
{
	assert_int_equal(truncate(below_root("usage"), 100), 0);
}

static void
empty_usage(void)
{
	assert_int_equal(truncate(below_root("usage"), 0), 0);
}

static void
test_heals_when_the_usage_file_was_lost_while_it_runs(void **state)
{
	static void (*const losses[])(void) = { remove_usage, cut_usage, empty_usage };
	struct store *store = open_with_fixed_seed(2000000);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	for (unsigned i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		losses[i]();
		put(store, STORE_VARIANTS, 1000, 100);	/* not SIGBUS */
		put_until_counted(store);
		assert_int_equal(believed_bytes(store, STORE_VARIANTS), tree_bytes("variants"));
		assert_int_equal(tree_bytes("variants"), 100 * SMALL + 10 * 100);
	}
	store_close(store);
}

/* Bytes at places that matter in the file: its magic, numbers of each part. */
static void
test_makes_a_damaged_usage_file_again(void **state)
{
	static const off_t offsets[] = { 0, 15, 32, 4096, 16 + 8 * (65538 + 2 + 9) };
	static const unsigned char garbage[8] = { 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0x25 };

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct store *store = open_with_fixed_seed(2000000);
		int fd = open(below_root("usage"), O_WRONLY | O_CLOEXEC);

		put(store, STORE_VARIANTS, 1, SMALL);
		store_close(store);
		assert_int_equal(pwrite(fd, garbage, sizeof(garbage), offsets[i]), sizeof(garbage));
		close(fd);
		store = open_with_fixed_seed(2000000);
		assert_int_equal(believed_bytes(store, STORE_VARIANTS), 0);
		assert_int_equal(believed_bytes(store, STORE_ORIGINALS), 0);
		put(store, STORE_VARIANTS, 2 + (unsigned)i, SMALL);
		assert_int_equal(believed_bytes(store, STORE_VARIANTS), SMALL);
		store_close(store);
	}
}

/* A lie that could be true, in the file or about a reservation, is forgotten too. */
static void
test_heals_from_plausible_lies(void **state)
{
	struct store *store = open_with_fixed_seed(2000000);

	(void)state;
	put_until_counted(store);
	usage_reserve(&store->usage, STORE_VARIANTS, 12345);
	usage_add(&store->usage, STORE_VARIANTS, 77, 54321);
	usage_remove(&store->usage, STORE_VARIANTS, 78, 4321);
	assert_int_not_equal(believed_bytes(store, STORE_VARIANTS), tree_bytes("variants"));
	for (unsigned i = 0; i < 5 * USAGE_BUCKETS; i++)
		eviction_count_some(store, STORE_VARIANTS, 1);
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), tree_bytes("variants"));
	store_close(store);
}

static void
test_a_lost_count_does_not_let_the_store_grow_without_end(void **state)
{
	struct store *store = open_with_fixed_seed(1000000);
	uint64_t most = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	remove_usage();
	for (unsigned i = 0; i < 4200; i++) {
		put(store, STORE_VARIANTS, 1000 + i, SMALL);
		if (i % 100 == 0 && tree_bytes("variants") > most)
			most = tree_bytes_sum;
	}
	assert_true(most <= 2000000);
	assert_in_range(tree_bytes("variants"), 900000, 1000000);
	store_close(store);
}

static void
test_leaves_alone_what_is_not_its_own(void **state)
{
	struct store *store = open_with_fixed_seed(50000);
	struct key key = key_number(1);
	char path[STORE_PATH_MAX];
	int fd;

	(void)state;
	put(store, STORE_VARIANTS, 1, SMALL);
	store_file_path(STORE_VARIANTS, &key, path);
	memcpy(path + strlen("variants/ab/cd/"), "README", sizeof("README"));
	fd = open(below_root(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file_write_all(fd, "mine", 4));
	close(fd);
	for (unsigned i = 0; i < 50; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	assert_int_equal(access(below_root(path), F_OK), 0);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_never_exceeds_the_limit),
		TEST(test_never_exceeds_the_limit_with_several_writers),
		TEST(test_keeps_what_was_used_lately),
		TEST(test_keeps_what_was_used_lately_when_several_go_at_once),
		TEST(test_makes_room_for_four_small_files_at_once),
		TEST(test_evicts_no_large_file_ahead),
		TEST(test_one_large_file_drives_out_many_small_ones),
		TEST(test_counts_each_part_for_itself),
		TEST(test_several_processes_share_one_count),
		TEST(test_heals_when_files_were_deleted_behind_its_back),
		TEST(test_heals_when_the_usage_file_was_lost_while_it_runs),
		TEST(test_makes_a_damaged_usage_file_again),
		TEST(test_heals_from_plausible_lies),
		TEST(test_a_lost_count_does_not_let_the_store_grow_without_end),
		TEST(test_leaves_alone_what_is_not_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
