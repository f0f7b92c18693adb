/* Files in, the same files out; damage, removal and broken disks in between. */
#include "store_fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <time.h>

/* On either side of the size up to which every find verifies. */
enum { SMALL = 20000, LARGE = 3 * MEBIBYTE };

static void
path_of(enum store_part part, unsigned number, char path[STORE_PATH_MAX])
{
	struct key key = key_number(number);

	store_file_path(part, &key, path);
}

static const char *
full_path(enum store_part part, unsigned number)
{
	char path[STORE_PATH_MAX];

	path_of(part, number, path);
	return below_root(path);
}

/* ---- what it promises ------------------------------------------------------ */

static void
test_finds_what_was_committed(void **state)
{
	static const size_t sizes[] = { 0, 1, SMALL, 256 * 1024, 256 * 1024 + 1, LARGE };
	struct store *store = *state;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		enum store_part part = i % 2 == 0 ? STORE_ORIGINALS : STORE_VARIANTS;
		struct key key = key_number(i);
		struct store_file committed, found;
		struct failure why = { 0 };
		char path[STORE_PATH_MAX];

		assert_true(put_file(store, part, i, sizes[i], &committed, &why));
		for (unsigned times = 0; times < 2; times++) {
			assert_true(store_find(store, part, &key, &found));
			assert_int_equal(found.bytes, sizes[i]);
			assert_int_equal(found.checksum, committed.checksum);
			assert_int_equal(found.media, MEDIA_WEBP);
			path_of(part, i, path);
			assert_string_equal(found.path, path);
			assert_string_equal(found.path, committed.path);
			assert_int_equal(lseek(found.fd, 0, SEEK_CUR), 0);
			assert_true(holds(found.fd, i, sizes[i]));
			close(found.fd);
		}
		assert_int_equal(committed.bytes, sizes[i]);
		assert_int_equal(committed.media, MEDIA_WEBP);
		assert_int_equal(lseek(committed.fd, 0, SEEK_CUR), 0);
		assert_true(holds(committed.fd, i, sizes[i]));
		close(committed.fd);
	}
}

static void
test_misses_what_is_not_there(void **state)
{
	struct store *store = *state;
	struct key key = key_number(1);
	struct store_file file;

	assert_false(has(store, STORE_VARIANTS, 1));
	assert_false(store_find(store, STORE_VARIANTS, &key, &file));
	assert_int_equal(file.fd, -1);
	put(store, STORE_VARIANTS, 1, SMALL);
	assert_true(has(store, STORE_VARIANTS, 1));
	assert_false(has(store, STORE_ORIGINALS, 1));
	assert_false(find(store, STORE_ORIGINALS, 1));
	store_remove(store, STORE_VARIANTS, &key);
	assert_false(has(store, STORE_VARIANTS, 1));
	assert_false(find(store, STORE_VARIANTS, 1));
	store_remove(store, STORE_VARIANTS, &key);
}

static void
test_replaces_and_leaves_the_old_one_readable(void **state)
{
	struct store *store = *state;
	struct key key = key_number(1);
	struct store_draft draft;
	struct store_file old, new;
	struct failure why = { 0 };

	assert_true(put_file(store, STORE_VARIANTS, 1, SMALL, &old, &why));
	assert_true(store_begin(store, &draft, &why));
	assert_true(file_write_all(draft.fd, "short", 5));
	assert_true(store_commit(store, &draft, STORE_VARIANTS, &key, MEDIA_AVIF, &new, &why));
	assert_int_equal(draft.fd, -1);
	assert_true(holds(old.fd, 1, SMALL));
	close(old.fd);
	close(new.fd);
	assert_true(store_find(store, STORE_VARIANTS, &key, &new));
	assert_int_equal(new.bytes, 5);
	assert_int_equal(new.media, MEDIA_AVIF);
	close(new.fd);
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), 5);
}

static void
test_a_discarded_draft_leaves_nothing(void **state)
{
	struct store *store = *state;
	struct store_draft draft;
	struct failure why = { 0 };

	assert_true(store_begin(store, &draft, &why));
	assert_int_equal(access(below_root(draft.path), F_OK), 0);
	store_discard(store, &draft);
	assert_int_equal(draft.fd, -1);
	store_discard(store, &draft);
	tree_bytes("");
	assert_int_equal(tree_files, 2);		/* lock and usage are not made by drafts */
}

static void
test_the_umask_says_who_reads_the_files(void **state)
{
	static const struct {
		mode_t mask, file, folder;
	} masks[] = { { 0027, 0640, 0750 }, { 0022, 0644, 0755 }, { 0077, 0600, 0700 } };
	struct store *store = *state;

	for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		mode_t before = umask(masks[i].mask);
		char path[STORE_PATH_MAX];
		struct stat status;

		put(store, STORE_VARIANTS, i, SMALL);
		umask(before);
		path_of(STORE_VARIANTS, i, path);
		assert_int_equal(stat(below_root(path), &status), 0);
		assert_int_equal(status.st_mode & 07777, masks[i].file);
		path[strlen("variants/ab/cd")] = '\0';
		assert_int_equal(stat(below_root(path), &status), 0);
		assert_int_equal(status.st_mode & 07777, masks[i].folder);
	}
}

static void
test_hands_out_descriptors_that_cannot_write_and_close_on_exec(void **state)
{
	struct store *store = *state;
	struct key key = key_number(1);
	struct store_draft draft;
	struct store_file file;
	struct failure why = { 0 };

	assert_true(store_begin(store, &draft, &why));
	assert_int_equal(fcntl(draft.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(draft.fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_true(store_commit(store, &draft, STORE_VARIANTS, &key, MEDIA_PNG, &file, &why));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fcntl(file.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		close(file.fd);
		assert_true(store_find(store, STORE_VARIANTS, &key, &file));
	}
	close(file.fd);
}

static int64_t
age_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return time(NULL) - status.st_mtime;
}

static void
make_older(const char *path, int64_t seconds)
{
	struct timespec times[2] = { { time(NULL) - seconds, 0 }, { time(NULL) - seconds, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
test_marks_use_at_most_once_in_ten_minutes(void **state)
{
	struct store *store = *state;
	const char *path;

	put(store, STORE_VARIANTS, 1, SMALL);
	path = full_path(STORE_VARIANTS, 1);
	make_older(path, 590);
	assert_true(find(store, STORE_VARIANTS, 1));
	assert_in_range(age_of(path), 589, 595);
	make_older(path, 610);
	assert_true(has(store, STORE_VARIANTS, 1));
	assert_in_range(age_of(path), 609, 615);
	assert_true(find(store, STORE_VARIANTS, 1));
	assert_in_range(age_of(path), 0, 5);
}

static void
test_leaves_no_descriptor_open(void **state)
{
	struct store *store = *state;
	unsigned before = open_descriptors();
	struct key key = key_number(1);
	struct failure why = { 0 };

	put(store, STORE_VARIANTS, 1, SMALL);
	assert_true(find(store, STORE_VARIANTS, 1));
	assert_false(find(store, STORE_VARIANTS, 2));
	store_remove(store, STORE_VARIANTS, &key);
	assert_true(store_probe(store, &why));
	for (unsigned i = 0; i < 100; i++)
		put(store, STORE_VARIANTS, i, 1);
	store_close(open_large_store());
	assert_int_equal(open_descriptors(), before);
}

/* ---- damage ------------------------------------------------------------------ */

static void
flip_a_byte(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, 1000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 1000), 1);
	close(fd);
}

static void
cut(const char *path)
{
	assert_int_equal(truncate(path, 1000), 0);
}

/* As after a crash: the size is right, the blocks were never written. */
static void
lose_the_blocks(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(truncate(path, status.st_size), 0);
}

static void
append(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size + 1), 0);
}

static void
lose_the_record(const char *path)
{
	assert_int_equal(removexattr(path, "user.vitrine"), 0);
}

static void
write_a_foreign_record(const char *path)
{
	assert_int_equal(setxattr(path, "user.vitrine", "hello", 5, 0), 0);
}

static void
write_a_long_record(const char *path)
{
	char text[500];

	memset(text, '1', sizeof(text));
	assert_int_equal(setxattr(path, "user.vitrine", text, sizeof(text), 0), 0);
}

static void
write_a_record_of_another_version(const char *path)
{
	char text[RECORD_MAX];
	ssize_t length = getxattr(path, "user.vitrine", text, sizeof(text));

	text[0] = '9';
	assert_int_equal(setxattr(path, "user.vitrine", text, (size_t)length, 0), 0);
}

/* The checksum is right, but what is announced to the client would not be. */
static void
write_a_record_of_another_size(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct record record;

	assert_true(record_get(fd, &record));
	record.bytes++;
	assert_true(record_put(fd, &record));
	close(fd);
}

static void
put_a_fifo_there(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void (*const damages[])(const char *path) = {
	flip_a_byte, cut, lose_the_blocks, append, lose_the_record, write_a_foreign_record,
	write_a_long_record, write_a_record_of_another_version,
	write_a_record_of_another_size, put_a_fifo_there,
};

static void
test_removes_what_is_damaged(void **state)
{
	static const size_t sizes[] = { SMALL, LARGE };
	struct store *store = *state;

	for (unsigned i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		for (unsigned j = 0; j < 2; j++) {
			put(store, STORE_VARIANTS, 1, sizes[j]);
			assert_true(find(store, STORE_VARIANTS, 1));
			damages[i](full_path(STORE_VARIANTS, 1));
			if (find(store, STORE_VARIANTS, 1))
				fail_msg("damage %u of %zu bytes was served", i, sizes[j]);
			assert_false(has(store, STORE_VARIANTS, 1));
		}
}

static void
test_does_not_follow_a_link_out_of_the_store(void **state)
{
	struct store *store = *state;
	const char *path;

	put(store, STORE_VARIANTS, 1, SMALL);
	path = full_path(STORE_VARIANTS, 1);
	assert_int_equal(rename(path, below_root("elsewhere")), 0);
	assert_int_equal(symlink(below_root("elsewhere"), path), 0);
	assert_false(find(store, STORE_VARIANTS, 1));
	put(store, STORE_VARIANTS, 1, SMALL);
	assert_true(find(store, STORE_VARIANTS, 1));
	assert_int_equal(access(below_root("elsewhere"), F_OK), 0);
}

/* It is only then that the store remembers having verified it. */
static void
test_notices_damage_after_a_large_file_was_verified(void **state)
{
	struct store *store = *state;

	put(store, STORE_ORIGINALS, 1, LARGE);
	usleep(1200000);
	for (unsigned i = 0; i < 3; i++)
		assert_true(find(store, STORE_ORIGINALS, 1));
	flip_a_byte(full_path(STORE_ORIGINALS, 1));
	assert_false(find(store, STORE_ORIGINALS, 1));
}

/* ---- folders that disappear ---------------------------------------------------- */

static void
test_goes_on_when_its_folders_are_removed(void **state)
{
	static const char *const names[] = { "variants", "tmp", "usage", "lock", "originals" };
	struct store *store = *state;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		put(store, STORE_VARIANTS, 1, SMALL);
		remove_tree(below_root(names[i]));
		find(store, STORE_VARIANTS, 1);
		put(store, STORE_VARIANTS, 2, SMALL);
		put(store, STORE_ORIGINALS, 2, SMALL);
		assert_true(find(store, STORE_VARIANTS, 2));
		assert_true(find(store, STORE_ORIGINALS, 2));
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove_tree(below_root(names[i]));
	put(store, STORE_VARIANTS, 3, SMALL);
	assert_true(find(store, STORE_VARIANTS, 3));
	assert_int_equal(access(below_root("usage"), F_OK), 0);
}

static void
test_a_draft_that_was_removed_is_handed_out_without_a_name(void **state)
{
	struct store *store = *state;
	struct key key = key_number(1);
	struct store_draft draft;
	struct store_file file;
	struct failure why = { 0 };

	assert_true(store_begin(store, &draft, &why));
	remove_tree(below_root("tmp"));
	assert_true(file_write_all(draft.fd, "bytes", 5));
	assert_true(store_commit(store, &draft, STORE_VARIANTS, &key, MEDIA_PNG, &file, &why));
	assert_int_equal(draft.fd, -1);
	assert_string_equal(file.path, "");
	assert_int_equal(file.bytes, 5);
	assert_int_equal(lseek(file.fd, 0, SEEK_END), 5);
	close(file.fd);
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), 0);
	put(store, STORE_VARIANTS, 1, SMALL);
}

/* ---- leftovers ------------------------------------------------------------------- */

/* A child with two drafts; returns when they are there. */
static pid_t
write_drafts_in_child(struct store *store)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct store_draft one, two;
		struct failure why = { 0 };

		if (!store_begin(store, &one, &why) || !store_begin(store, &two, &why) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		sleep(30);
		_exit(2);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static uint64_t
files_in_tmp(void)
{
	tree_bytes("tmp");
	return tree_files;
}

static void
test_removes_drafts_of_the_dead_and_of_nobody_else(void **state)
{
	struct store *store = *state;
	pid_t child = write_drafts_in_child(store);
	struct store_draft own;
	struct store_file file;
	struct key key = key_number(1);
	struct failure why = { 0 };

	assert_true(store_begin(store, &own, &why));
	store_close(open_large_store());
	assert_int_equal(files_in_tmp(), 3);
	kill(child, SIGKILL);
	assert_int_equal(end_of(child), 128 + SIGKILL);
	store_close(open_large_store());
	assert_int_equal(files_in_tmp(), 1);
	assert_true(store_commit(store, &own, STORE_VARIANTS, &key, MEDIA_PNG, &file, &why));
	close(file.fd);
	assert_int_equal(files_in_tmp(), 0);
}

static void
test_removes_drafts_of_the_dead_while_it_runs(void **state)
{
	struct store *store = *state;
	pid_t child = write_drafts_in_child(store);

	kill(child, SIGKILL);
	end_of(child);
	assert_int_equal(files_in_tmp(), 2);
	for (unsigned i = 0; i < 64; i++)
		put(store, STORE_VARIANTS, i, 1);
	assert_int_equal(files_in_tmp(), 0);
}

/* ---- opening -------------------------------------------------------------------- */

static void
expect_refusal(const char *path, const char *part_of_detail)
{
	struct store_config config = { path, MEBIBYTE, MEBIBYTE, MEBIBYTE };
	struct failure why = { 0 };

	assert_null(store_open(&config, &why));
	assert_int_equal(why.kind, FAIL_INTERNAL);
	if (strstr(why.detail, part_of_detail) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.detail, part_of_detail);
}

static void
test_refuses_a_root_that_cannot_be_one(void **state)
{
	int fd = open(below_root("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	close(fd);
	expect_refusal("store", "not an absolute path");
	expect_refusal("", "not an absolute path");
	expect_refusal(below_root("file"), "Not a directory");
	expect_refusal(below_root("missing/parent"), "No such file or directory");
}

static void
test_refuses_a_root_where_nothing_can_be_locked(void **state)
{
	struct failure why = { 0 };

	assert_int_not_equal(unlink(below_root("lock")), -1);
	assert_int_equal(mkdir(below_root("lock"), 0700), 0);
	assert_false(store_probe(*state, &why));
	assert_int_equal(why.kind, FAIL_INTERNAL);
	assert_non_null(strstr(why.detail, "lock"));
}

/* Runs body in a child, because it gives up rights for good; 77 means that this
 * machine does not let us. */
static bool
passes_in_child(void (*body)(void))
{
	pid_t child = fork();
	int end;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		body();
		_exit(0);
	}
	end = end_of(child);
	if (end == 77)
		return false;
	assert_int_equal(end, 0);
	return true;
}

static void
exit_unless(bool condition, int status)
{
	if (!condition)
		_exit(status);
}

static void
open_without_the_right_to_write(void)
{
	struct store_config config = { root, MEBIBYTE, MEBIBYTE, MEBIBYTE };
	struct failure why = { 0 };

	if (geteuid() == 0)
		exit_unless(setgid(65534) == 0 && setuid(65534) == 0, 77);
	exit_unless(store_open(&config, &why) == NULL, 1);
	exit_unless(strstr(why.detail, "Permission denied") != NULL, 2);
	exit_unless(strstr(why.detail, root) != NULL, 3);
}

static void
test_refuses_a_root_that_it_may_not_write(void **state)
{
	store_close(*state);
	*state = NULL;
	assert_int_equal(chmod(root, 0555), 0);
	if (!passes_in_child(open_without_the_right_to_write)) {
		chmod(root, 0700);
		skip();
	}
	assert_int_equal(chmod(root, 0700), 0);
}

static void
mount_here(const char *type, const char *options)
{
	if (unshare(CLONE_NEWNS) == -1)
		exit_unless(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, 77);
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	exit_unless(mount("none", root, type, 0, options) == 0, 77);
}

static void
open_without_attributes(void)
{
	struct store_config config = { root, MEBIBYTE, MEBIBYTE, MEBIBYTE };
	struct failure why = { 0 };

	mount_here("ramfs", NULL);
	exit_unless(store_open(&config, &why) == NULL, 1);
	exit_unless(strstr(why.detail, "user.* attributes") != NULL, 2);
}

static void
test_refuses_a_file_system_without_attributes(void **state)
{
	(void)state;
	if (!passes_in_child(open_without_attributes))
		skip();
}

static void
test_makes_the_root_and_opens_it_again(void **state)
{
	struct store_config config = { NULL, MEBIBYTE, MEBIBYTE, MEBIBYTE };
	struct failure why = { 0 };
	struct store *store;

	(void)state;
	config.root = below_root("new");
	for (unsigned i = 0; i < 2; i++) {
		store = store_open(&config, &why);
		assert_non_null(store);
		assert_int_equal(i == 1, find(store, STORE_VARIANTS, 1));
		put(store, STORE_VARIANTS, 1, SMALL);
		store_close(store);
	}
}

/* ---- full disks -------------------------------------------------------------------- */

static void
refuse_when_full(void)
{
	struct failure why = { 0 };
	struct store_file file;
	struct store *store;
	int filler;

	mount_here("tmpfs", "size=4m");
	store = open_large_store();
	filler = open(below_root("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (file_write_all(filler, content_of(0, 4096), 4096))
		;
	exit_unless(!put_file(store, STORE_VARIANTS, 1, SMALL, &file, &why), 1);
	failure_clear(&why);
	exit_unless(!store_probe(store, &why), 2);
	exit_unless(strstr(why.detail, "No space left") != NULL, 3);
	close(filler);
	exit_unless(unlink(below_root("filler")) == 0, 4);
	failure_clear(&why);
	exit_unless(store_probe(store, &why), 5);
	exit_unless(put_file(store, STORE_VARIANTS, 1, SMALL, &file, &why), 6);
}

static void
test_says_so_when_the_disk_is_full(void **state)
{
	(void)state;
	if (!passes_in_child(refuse_when_full))
		skip();
}

/* The limits promise more than the disk has: drafts make room for themselves. */
static void
write_more_than_the_disk_holds(void)
{
	struct failure why = { 0 };
	struct store_file file;
	struct store *store;

	mount_here("tmpfs", "size=8m");
	store = open_large_store();
	for (unsigned i = 0; i < 1000; i++) {
		exit_unless(put_file(store, STORE_VARIANTS, i, SMALL, &file, &why), 1);
		close(file.fd);
	}
	exit_unless(tree_bytes("variants") > 4 * MEBIBYTE, 2);
}

static void
test_evicts_when_the_disk_is_smaller_than_the_limit(void **state)
{
	(void)state;
	if (!passes_in_child(write_more_than_the_disk_holds))
		skip();
}

/* 100 files and their folders, nearly 200, need more inodes than there are. */
static void
run_out_of_inodes(void)
{
	enum { FILES = 100 };
	struct failure why = { 0 };
	struct store_file file;
	struct store *store;

	mount_here("tmpfs", "size=64m,nr_inodes=250");
	store = open_large_store();
	for (unsigned i = 0; i < FILES; i++) {
		exit_unless(put_file(store, STORE_VARIANTS, i, SMALL, &file, &why), 1);
		close(file.fd);
	}
	tree_bytes("variants");
	exit_unless(tree_files < FILES, 2);
	exit_unless(tree_files > 10, 3);
}

static void
test_makes_room_when_the_commit_finds_none(void **state)
{
	(void)state;
	if (!passes_in_child(run_out_of_inodes))
		skip();
}

static void
test_refuses_one_file_over_the_limit_and_evicts_nothing(void **state)
{
	struct store *store = open_store(MEBIBYTE, 100000);
	struct failure why = { 0 };
	struct store_file file;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		put(store, STORE_VARIANTS, i, SMALL);
	assert_false(put_file(store, STORE_VARIANTS, 9, 100001, &file, &why));
	assert_int_equal(why.kind, FAIL_INTERNAL);
	assert_non_null(strstr(why.detail, "over the store's limit of 100000"));
	assert_int_equal(files_in_tmp(), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(find(store, STORE_VARIANTS, i));
	assert_int_equal(believed_bytes(store, STORE_VARIANTS), 4 * SMALL);
	store_close(store);
}

static int
set_up(void **state)
{
	if (make_root(state) == -1)
		return -1;
	*state = open_large_store();
	store_places_taken(*state, 0, 1);	/* makes ROOT/lock */
	return 0;
}

static int
tear_down(void **state)
{
	store_close(*state);
	return remove_root(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Found sound, and damaged while something was made of it. */
static void
test_sees_that_a_file_was_changed_after_it_was_found(void **state)
{
	struct store *store = *state;
	struct key key = key_number(77);
	struct store_file committed, found;
	struct failure why = { 0 };
	int fd;

	assert_true(put_file(store, STORE_ORIGINALS, 77, SMALL, &committed, &why));
	close(committed.fd);
	assert_true(store_find(store, STORE_ORIGINALS, &key, &found));
	assert_true(store_is_unchanged(store, STORE_ORIGINALS, &key, &found));
	fd = open(below_root(found.path), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "damaged", 7, 10), 7);
	close(fd);
	assert_false(store_is_unchanged(store, STORE_ORIGINALS, &key, &found));
	assert_false(store_has(store, STORE_ORIGINALS, &key));
	close(found.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finds_what_was_committed),
		TEST(test_sees_that_a_file_was_changed_after_it_was_found),
		TEST(test_misses_what_is_not_there),
		TEST(test_replaces_and_leaves_the_old_one_readable),
		TEST(test_a_discarded_draft_leaves_nothing),
		TEST(test_the_umask_says_who_reads_the_files),
		TEST(test_hands_out_descriptors_that_cannot_write_and_close_on_exec),
		TEST(test_marks_use_at_most_once_in_ten_minutes),
		TEST(test_leaves_no_descriptor_open),
		TEST(test_removes_what_is_damaged),
		TEST(test_does_not_follow_a_link_out_of_the_store),
		TEST(test_notices_damage_after_a_large_file_was_verified),
		TEST(test_goes_on_when_its_folders_are_removed),
		TEST(test_a_draft_that_was_removed_is_handed_out_without_a_name),
		TEST(test_removes_drafts_of_the_dead_and_of_nobody_else),
		TEST(test_removes_drafts_of_the_dead_while_it_runs),
		TEST(test_refuses_a_root_that_cannot_be_one),
		TEST(test_refuses_a_root_where_nothing_can_be_locked),
		TEST(test_refuses_a_root_that_it_may_not_write),
		TEST(test_refuses_a_file_system_without_attributes),
		TEST(test_makes_the_root_and_opens_it_again),
		TEST(test_says_so_when_the_disk_is_full),
		TEST(test_evicts_when_the_disk_is_smaller_than_the_limit),
		TEST(test_makes_room_when_the_commit_finds_none),
		TEST(test_refuses_one_file_over_the_limit_and_evicts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
