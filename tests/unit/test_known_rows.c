/* test_known_rows - rows in shared memory are whole or absent, whoever writes and dies. */
#include "fcgi-app/known_rows.h"

#include "base/deadline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITERS = 2, RACE_MS = 300, KILLS = 40 };

static struct known_rows *rows;

static int
new_rows(void **state)
{
	(void)state;
	rows = mmap(NULL, sizeof(*rows), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return rows == MAP_FAILED ? -1 : 0;
}

static int
free_rows(void **state)
{
	(void)state;
	return munmap(rows, sizeof(*rows));
}

/* Every part of it follows from its version. */
static struct asset
asset_of_version(const char *id, uint64_t version)
{
	struct asset asset = { .version = version, .bytes = version * 3, .updated = (int64_t)version };

	snprintf(asset.id, sizeof(asset.id), "%s", id);
	memset(asset.key, 'a' + (int)(version % 26), ASSET_KEY_MAX);
	memset(asset.owner, 'A' + (int)(version % 26), ASSET_TEXT_MAX);
	return asset;
}

static bool
is_whole(const struct asset *asset)
{
	struct asset want = asset_of_version(asset->id, asset->version);

	return asset->bytes == want.bytes && asset->updated == want.updated && strcmp(asset->key, want.key) == 0 &&
	    strcmp(asset->owner, want.owner) == 0;
}

static bool
is_missing(const char *id)
{
	struct asset asset;
	int64_t age_us;

	return known_rows_find(rows, span_of(id), &asset, &age_us) == MISSING_KNOWN;
}

static void
put(const char *id, uint64_t version, int64_t said_us)
{
	struct asset asset = asset_of_version(id, version);

	known_rows_put(rows, &asset, said_us);
}

/* 0: it is not there. */
static uint64_t
version_of(const char *id)
{
	struct asset asset;
	int64_t age_us;

	return known_rows_find(rows, span_of(id), &asset, &age_us) == ROW_KNOWN ? asset.version : 0;
}

static void
test_finds_what_was_put_and_its_age(void **state)
{
	int64_t now_us = monotonic_us(), age_us;
	struct asset asset;

	(void)state;
	assert_int_equal(version_of("photo"), 0);
	put("photo", 7, now_us - 5000);
	assert_int_equal(known_rows_find(rows, span_of("photo"), &asset, &age_us), ROW_KNOWN);
	assert_true(is_whole(&asset));
	assert_int_equal(asset.version, 7);
	assert_in_range(age_us, 5000, 5000 + 1000000);
	assert_int_equal(version_of("phot"), 0);
	assert_int_equal(version_of("photo2"), 0);
	assert_int_equal(version_of(""), 0);
}

static void
test_keeps_the_newer_of_two_rows(void **state)
{
	static const struct {
		uint64_t version;
		int64_t said_ago_us;
		uint64_t want;
	} steps[] = {
		{ 7, 5000, 7 },
		{ 8, 4000, 8 },
		{ 7, 4500, 8 },		/* asked before, arrived later */
		{ 7, 1000, 7 },		/* said later: the database was set back */
	};
	int64_t now_us = monotonic_us();

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		put("photo", steps[i].version, now_us - steps[i].said_ago_us);
		assert_int_equal(version_of("photo"), steps[i].want);
	}
}

static void
test_remembers_what_is_missing(void **state)
{
	int64_t now_us = monotonic_us(), age_us;
	struct asset asset;

	(void)state;
	assert_false(is_missing("photo"));
	known_rows_put_missing(rows, span_of("photo"), now_us - 5000);
	assert_int_equal(known_rows_find(rows, span_of("photo"), &asset, &age_us), MISSING_KNOWN);
	assert_in_range(age_us, 5000, 5000 + 1000000);
	assert_false(is_missing("phot"));
	assert_false(is_missing("photo2"));
	put("photo", 1, now_us - 4000);
	assert_int_equal(version_of("photo"), 1);
	known_rows_put_missing(rows, span_of("photo"), now_us - 4500);	/* asked before, arrived later */
	assert_int_equal(version_of("photo"), 1);
	known_rows_put_missing(rows, span_of("photo"), now_us - 3000);
	assert_true(is_missing("photo"));
}

/* Of the other ids each has one place in so many. */
static void
make_up_ids(int64_t said_us)
{
	for (unsigned i = 0; i < 20 * KNOWN_ROWS; i++) {
		char id[32];

		snprintf(id, sizeof(id), "other%u", i);
		known_rows_put_missing(rows, span_of(id), said_us);
	}
}

static void
test_what_is_missing_displaces_no_busy_row(void **state)
{
	int64_t now_us = monotonic_us();

	(void)state;
	put("photo", 7, now_us);
	make_up_ids(now_us);
	assert_int_equal(version_of("photo"), 7);
	make_up_ids(now_us + 2000000);
	assert_int_equal(version_of("photo"), 0);
}

/* Both have the same place: the later one has it. */
static void
test_does_not_take_one_asset_for_another(void **state)
{
	uint64_t found = 7;

	(void)state;
	put("photo", 7, monotonic_us());
	for (uint64_t i = 0; found == 7 && i < 100 * KNOWN_ROWS; i++) {
		char id[32];

		snprintf(id, sizeof(id), "other%llu", (unsigned long long)i);
		put(id, 100 + i, monotonic_us());
		found = version_of("photo");
	}
	assert_int_equal(found, 0);
}

static void
test_a_row_with_one_wrong_bit_is_not_there(void **state)
{
	unsigned place = 0;

	(void)state;
	put("photo", 7, monotonic_us());
	while (rows->places[place].words[0] == 0)
		place++;
	for (size_t word = 0; word < KNOWN_ROW_WORDS; word++) {
		rows->places[place].words[word] ^= (uint64_t)1 << word % 64;
		assert_int_equal(version_of("photo"), 0);
		rows->places[place].words[word] ^= (uint64_t)1 << word % 64;
	}
	assert_int_equal(version_of("photo"), 7);
}

static _Noreturn void
write_for_ever(unsigned writer)
{
	for (uint64_t version = writer + 1;; version += WRITERS)
		put("photo", version, monotonic_us());
}

static pid_t
start_writer(unsigned writer)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		alarm(20);
		write_for_ever(writer);
	}
	return pid;
}

static void
kill_writer(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_two_writers_leave_whole_rows(void **state)
{
	pid_t writers[WRITERS];
	struct deadline end;
	unsigned found = 0;
	uint64_t parities = 0;

	(void)state;
	for (unsigned i = 0; i < WRITERS; i++)
		writers[i] = start_writer(i);
	end = deadline_in_ms(RACE_MS);
	while (!deadline_has_passed(end)) {
		struct asset asset;
		int64_t age_us;

		if (known_rows_find(rows, span_of("photo"), &asset, &age_us) != ROW_KNOWN)
			continue;
		assert_true(is_whole(&asset));
		parities |= (uint64_t)1 << asset.version % WRITERS;
		found++;
	}
	for (unsigned i = 0; i < WRITERS; i++)
		kill_writer(writers[i]);
	assert_int_not_equal(found, 0);
	assert_int_equal(parities, 3);		/* they did take turns */
}

static void
test_a_writer_that_is_killed_harms_nobody(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KILLS; i++) {
		struct asset asset;
		int64_t age_us;
		pid_t pid = start_writer(0);

		usleep(500 + i * 37);
		kill_writer(pid);
		if (known_rows_find(rows, span_of("photo"), &asset, &age_us) == ROW_KNOWN)
			assert_true(is_whole(&asset));
		put("photo", UINT64_MAX - KILLS + i, monotonic_us());
		assert_int_equal(version_of("photo"), UINT64_MAX - KILLS + i);
		known_rows_put_missing(rows, span_of("photo"), monotonic_us());
		assert_true(is_missing("photo"));
	}
}

static void
test_one_of_many_asks_anew(void **state)
{
	enum { PROCESSES = 8 };
	unsigned claims = 0;
	int status;

	(void)state;
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0)
			_exit(known_rows_claim(rows, span_of("photo"), 60000));
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		assert_int_not_equal(wait(&status), -1);
		claims += (unsigned)WEXITSTATUS(status);
	}
	assert_int_equal(claims, 1);
	assert_false(known_rows_claim(rows, span_of("photo"), 60000));
	/* The one who asks may have died. */
	usleep(2000);
	assert_true(known_rows_claim(rows, span_of("photo"), 1));
	assert_true(known_rows_is_claimed(rows, span_of("photo")));
	known_rows_release(rows, span_of("photo"));
	assert_false(known_rows_is_claimed(rows, span_of("photo")));
	assert_true(known_rows_claim(rows, span_of("photo"), 60000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_finds_what_was_put_and_its_age, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_keeps_the_newer_of_two_rows, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_remembers_what_is_missing, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_what_is_missing_displaces_no_busy_row, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_does_not_take_one_asset_for_another, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_a_row_with_one_wrong_bit_is_not_there, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_two_writers_leave_whole_rows, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_a_writer_that_is_killed_harms_nobody, new_rows, free_rows),
		cmocka_unit_test_setup_teardown(test_one_of_many_asks_anew, new_rows, free_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
