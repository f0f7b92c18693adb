/* test_store_verified - what was verified is believed for a while, and only of the very same file. */
#include "store_fixture.h"

#include "store/verified.h"

#include <time.h>

enum { SMALL = 20000, SETTLED_S = 100 };

static struct store_verified verified;

static int
empty_table(void **state)
{
	(void)state;
	memset(&verified, 0, sizeof(verified));
	return 0;
}

static struct stat
status_changed_ago(time_t seconds)
{
	struct stat status = { .st_dev = 5, .st_ino = 1000, .st_size = SMALL };

	status.st_ctim.tv_sec = time(NULL) - seconds;
	status.st_ctim.tv_nsec = 123456789;
	return status;
}

static bool
believes(enum store_part part, unsigned number, const struct stat *status)
{
	struct key key = key_number(number);
	enum media media;

	return verified_find(&verified, part, &key, status, &media);
}

static void
test_believes_nothing_at_first(void **state)
{
	struct stat status = status_changed_ago(SETTLED_S);

	(void)state;
	assert_false(believes(STORE_VARIANTS, 1, &status));
}

static void
test_believes_the_same_file_only(void **state)
{
	struct stat status = status_changed_ago(SETTLED_S), other;
	struct key key = key_number(1);
	enum media media;

	(void)state;
	verified_note(&verified, STORE_VARIANTS, &key, &status, MEDIA_AVIF);
	assert_true(verified_find(&verified, STORE_VARIANTS, &key, &status, &media));
	assert_int_equal(media, MEDIA_AVIF);
	assert_false(believes(STORE_ORIGINALS, 1, &status));
	assert_false(believes(STORE_VARIANTS, 2, &status));
	other = status;
	other.st_ctim.tv_nsec++;
	assert_false(believes(STORE_VARIANTS, 1, &other));
	other = status;
	other.st_ctim.tv_sec--;
	assert_false(believes(STORE_VARIANTS, 1, &other));
	other = status;
	other.st_size--;
	assert_false(believes(STORE_VARIANTS, 1, &other));
	other = status;
	other.st_ino++;
	assert_false(believes(STORE_VARIANTS, 1, &other));
	other = status;
	other.st_dev++;
	assert_false(believes(STORE_VARIANTS, 1, &other));
	/* What may differ: it was read meanwhile, and its mtime is the caller's affair. */
	other = status;
	other.st_atim.tv_sec++;
	assert_true(believes(STORE_VARIANTS, 1, &other));
}

/* Another change might not move its ctime: two seconds later it has to be read again, and then it is
 * believed as others are. */
static void
test_believes_what_has_just_changed_for_a_moment(void **state)
{
	struct key key = key_number(1);
	bool is_believed;
	struct stat now;
	time_t second;

	(void)state;
	do {
		second = time(NULL);
		now = status_changed_ago(0);
		verified_note(&verified, STORE_VARIANTS, &key, &now, MEDIA_WEBP);
		is_believed = believes(STORE_VARIANTS, 1, &now);
	} while (time(NULL) != second);
	assert_true(is_believed);
	for (int i = 0; i < 2; i++) {
		sleep(1);
		assert_false(believes(STORE_VARIANTS, 1, &now));
	}
	verified_note(&verified, STORE_VARIANTS, &key, &now, MEDIA_WEBP);
	assert_true(believes(STORE_VARIANTS, 1, &now));
}

static void
test_does_not_note_what_is_to_change_later(void **state)
{
	struct stat future = status_changed_ago(-10);
	struct key key = key_number(1);

	(void)state;
	verified_note(&verified, STORE_VARIANTS, &key, &future, MEDIA_WEBP);
	assert_false(believes(STORE_VARIANTS, 1, &future));
}

static void
damage(const char *path)
{
	int fd = open(below_root(path), O_WRONLY);
	unsigned char byte;

	assert_int_not_equal(fd, -1);
	byte = (unsigned char)~content_of(1, SMALL)[SMALL / 2];
	assert_int_equal(pwrite(fd, &byte, 1, SMALL / 2), 1);
	close(fd);
}

/* Until its ctime is long enough ago. */
static void
settle(void)
{
	sleep(2);
}

static void
test_a_real_file_is_believed_until_somebody_touches_it(void **state)
{
	struct store *store = open_large_store();
	struct key key = key_number(1);
	struct store_file file, found;
	struct failure why = { 0 };

	(void)state;
	store_share_verified(store, &verified);
	assert_true(put_file(store, STORE_VARIANTS, 1, SMALL, &file, &why));
	close(file.fd);
	assert_false(store_find_unopened(store, STORE_VARIANTS, &key, &found));
	settle();
	assert_false(store_find_unopened(store, STORE_VARIANTS, &key, &found));
	assert_true(store_find(store, STORE_VARIANTS, &key, &found));
	close(found.fd);
	assert_true(store_find_unopened(store, STORE_VARIANTS, &key, &found));
	assert_int_equal(found.fd, -1);
	assert_int_equal(found.bytes, SMALL);
	assert_int_equal(found.media, MEDIA_WEBP);
	assert_string_equal(found.path, file.path);
	damage(file.path);
	assert_false(store_find_unopened(store, STORE_VARIANTS, &key, &found));
	assert_false(store_find(store, STORE_VARIANTS, &key, &found));
	assert_int_equal(access(below_root(file.path), F_OK), -1);
	store_close(store);
}

/* The responder that verifies is not the one that believes. */
static void
test_stores_of_one_table_believe_each_other(void **state)
{
	struct store *one = open_large_store(), *other = open_large_store(), *stranger = open_large_store();
	struct key key = key_number(1);
	struct store_file file;
	struct failure why = { 0 };

	(void)state;
	store_share_verified(one, &verified);
	store_share_verified(other, &verified);
	assert_true(put_file(one, STORE_VARIANTS, 1, SMALL, &file, &why));
	close(file.fd);
	settle();
	assert_true(store_find(one, STORE_VARIANTS, &key, &file));
	close(file.fd);
	assert_true(store_find_unopened(other, STORE_VARIANTS, &key, &file));
	assert_false(store_find_unopened(stranger, STORE_VARIANTS, &key, &file));
	store_close(stranger);
	store_close(other);
	store_close(one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_believes_nothing_at_first, empty_table),
		cmocka_unit_test_setup(test_believes_the_same_file_only, empty_table),
		cmocka_unit_test_setup(test_believes_what_has_just_changed_for_a_moment, empty_table),
		cmocka_unit_test_setup(test_does_not_note_what_is_to_change_later, empty_table),
		cmocka_unit_test_setup(test_a_real_file_is_believed_until_somebody_touches_it, empty_table),
		cmocka_unit_test_setup(test_stores_of_one_table_believe_each_other, empty_table),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
