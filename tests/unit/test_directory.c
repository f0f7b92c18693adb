/* test_directory - originals below a directory, through origin.h, as the programs use them. */
#include "base/file.h"
#include "origin/directory.h"
#include "origin/origin.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* TOP/root is the origin; TOP/outside must never be seen. */
struct fixture {
	char top[PATH_MAX / 2], root[PATH_MAX];
	struct origin *origin;
	int sink;
};

static void
path_in(const struct fixture *fixture, const char *name, char path[2 * PATH_MAX])
{
	snprintf(path, 2 * PATH_MAX, "%s/%s", fixture->root, name);
}

static void
make_file(const struct fixture *fixture, const char *name, const char *content)
{
	char path[2 * PATH_MAX];
	int fd;

	path_in(fixture, name, path);
	for (char *slash = strchr(path + strlen(fixture->root) + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_int_not_equal(fd, -1);
	assert_true(file_write_all(fd, content, strlen(content)));
	close(fd);
}

static int
set_up(void **state)
{
	static struct fixture fixture;
	struct origin_config config = { .name = "files", .kind = ORIGIN_DIRECTORY, .max_bytes = 1 << 30 };
	struct failure why = { 0 };
	char outside[PATH_MAX];

	snprintf(fixture.top, sizeof(fixture.top), "/tmp/vitrine-directory-XXXXXX");
	if (mkdtemp(fixture.top) == NULL)
		return -1;
	snprintf(fixture.root, sizeof(fixture.root), "%s/root", fixture.top);
	snprintf(outside, sizeof(outside), "%s/outside", fixture.top);
	if (mkdir(fixture.root, 0777) == -1 || mkdir(outside, 0777) == -1)
		return -1;
	make_file(&fixture, "../outside/secret", "secret");
	config.root = fixture.root;
	fixture.origin = origin_open(&config, &why);
	fixture.sink = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	*state = &fixture;
	return fixture.origin == NULL || fixture.sink == -1 ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	pid_t child;

	origin_close(fixture->origin);
	close(fixture->sink);
	child = fork();
	if (child == 0) {
		execlp("rm", "rm", "-rf", "--", fixture->top, (char *)NULL);
		_exit(127);
	}
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

/* FAIL_NONE when it succeeds. */
static enum failure_kind
fetch(struct fixture *fixture, const char *key)
{
	struct origin_object object;
	struct failure why = { 0 };

	if (origin_fetch(fixture->origin, key, fixture->sink, deadline_in_ms(10000), &object, &why)) {
		struct stat stat;

		assert_int_equal(fstat(fixture->sink, &stat), 0);
		assert_int_equal(object.bytes, stat.st_size);
		return FAIL_NONE;
	}
	assert_null(strstr(why.detail, fixture->top));
	return why.kind;
}

static enum failure_kind
put(struct fixture *fixture, const char *key, const char *content)
{
	struct origin_object object;
	struct failure why = { 0 };

	assert_int_equal(ftruncate(fixture->sink, 0), 0);
	assert_int_equal(pwrite(fixture->sink, content, strlen(content), 0), strlen(content));
	if (origin_put(fixture->origin, key, fixture->sink, "image/jpeg", deadline_in_ms(10000), &object,
		&why))
		return FAIL_NONE;
	return why.kind;
}

static void
assert_sink_holds(const struct fixture *fixture, const char *content)
{
	char bytes[64] = "";

	assert_int_equal(pread(fixture->sink, bytes, sizeof(bytes) - 1, 0), strlen(content));
	assert_string_equal(bytes, content);
}

static void
test_fetches_what_is_there_and_replaces_what_was_in_the_file(void **state)
{
	struct fixture *fixture = *state;

	make_file(fixture, "a/b c.jpg", "first, long");
	make_file(fixture, "empty", "");
	assert_int_equal(fetch(fixture, "a/b c.jpg"), FAIL_NONE);
	assert_sink_holds(fixture, "first, long");
	make_file(fixture, "a/b c.jpg", "second");
	assert_int_equal(fetch(fixture, "a/b c.jpg"), FAIL_NONE);
	assert_sink_holds(fixture, "second");
	assert_int_equal(fetch(fixture, "empty"), FAIL_NONE);
	assert_sink_holds(fixture, "");
}

static void
test_nothing_outside_is_reached(void **state)
{
	struct fixture *fixture = *state;
	char path[2 * PATH_MAX], long_key[PATH_MAX];
	static const struct { const char *link, *to; } links[] = {
		{ "out", "../outside" }, { "out-file", "../outside/secret" }, { "loop", "loop" },
		{ "proc", "/proc/self/root/etc" }, { "dangling", "nowhere" }, { "absolute", "/etc/passwd" },
	};
	static const char *const keys[] = {
		"out/secret", "out-file", "loop", "proc/passwd", "dangling", "absolute", "../outside/secret",
		"in/../../outside/secret", "/etc/passwd", "", ".", "..", "/", "in", "in/", "in/x/", "in/x/y",
		"missing", "a\nb",
	};

	make_file(fixture, "in/x", "inside");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		path_in(fixture, links[i].link, path);
		assert_int_equal(symlink(links[i].to, path), 0);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(fetch(fixture, keys[i]), FAIL_NOT_FOUND);
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	assert_int_equal(fetch(fixture, long_key), FAIL_NOT_FOUND);
}

static void
test_links_that_stay_inside_are_followed(void **state)
{
	struct fixture *fixture = *state;
	char path[2 * PATH_MAX];

	make_file(fixture, "in/x", "inside");
	path_in(fixture, "in/link", path);
	assert_int_equal(symlink("../in/x", path), 0);
	assert_int_equal(fetch(fixture, "in/link"), FAIL_NONE);
	assert_sink_holds(fixture, "inside");
}

static void
test_only_regular_files_are_objects(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[2 * PATH_MAX];
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	path_in(fixture, "fifo", path);
	assert_int_equal(mkfifo(path, 0666), 0);
	path_in(fixture, "socket", path);
	assert_in_range(strlen(path), 1, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	alarm(5);
	assert_int_equal(fetch(fixture, "fifo"), FAIL_NOT_FOUND);
	assert_int_equal(fetch(fixture, "socket"), FAIL_NOT_FOUND);
	alarm(0);
	close(listener);
}

static void
test_refuses_files_over_the_limit(void **state)
{
	struct fixture *fixture = *state;
	struct origin_config config = *origin_config(fixture->origin);
	struct origin_object object;
	struct failure why = { 0 };
	struct origin *origin;

	make_file(fixture, "six", "123456");
	for (config.max_bytes = 5; config.max_bytes <= 6; config.max_bytes++) {
		failure_clear(&why);
		origin = origin_open(&config, &why);
		assert_non_null(origin);
		assert_int_equal(origin_fetch(origin, "six", fixture->sink, deadline_in_ms(1000), &object,
				     &why), config.max_bytes == 6);
		assert_int_equal(why.kind, config.max_bytes == 6 ? FAIL_NONE : FAIL_UNPROCESSABLE);
		origin_close(origin);
	}
}

/* A child of ours that writes to a file until it is killed. */
static pid_t
start_writer(const char *path)
{
	pid_t child = fork();

	if (child == 0) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		for (int i = 0; fd != -1 && i < 20000; i++) {
			if (pwrite(fd, "x", 1, i) != 1)
				break;
			usleep(500);
		}
		_exit(0);
	}
	return child;
}

static void
test_a_file_that_changes_while_it_is_read_is_a_failure(void **state)
{
	struct fixture *fixture = *state;
	char path[2 * PATH_MAX];
	pid_t writer;
	int changed = 0;

	make_file(fixture, "large", "");
	path_in(fixture, "large", path);
	assert_int_equal(truncate(path, 64 << 20), 0);
	assert_int_equal(fetch(fixture, "large"), FAIL_NONE);
	writer = start_writer(path);
	assert_int_not_equal(writer, -1);
	/* It needs a moment until it writes, so not the first fetch must fail. */
	for (int i = 0; i < 20 && changed == 0; i++)
		changed = fetch(fixture, "large") == FAIL_UPSTREAM;
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_true(changed);
	assert_int_equal(fetch(fixture, "large"), FAIL_NONE);
}

static void
test_copying_ends_with_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct origin_object object;
	struct failure why = { 0 };
	char path[2 * PATH_MAX];

	make_file(fixture, "large", "");
	path_in(fixture, "large", path);
	assert_int_equal(truncate(path, 64 << 20), 0);
	assert_false(origin_fetch(fixture->origin, "large", fixture->sink, deadline_in_ms(0), &object, &why));
	assert_int_equal(why.kind, FAIL_TIMEOUT);
}

static void
test_stores_under_a_key_and_makes_its_directories(void **state)
{
	struct fixture *fixture = *state;
	struct origin_object stored, found;
	struct failure why = { 0 };

	assert_int_equal(put(fixture, "new/deep/x.jpg", "content"), FAIL_NONE);
	assert_int_equal(fetch(fixture, "new/deep/x.jpg"), FAIL_NONE);
	assert_sink_holds(fixture, "content");
	assert_int_equal(put(fixture, "new/deep/x.jpg", "other"), FAIL_NONE);
	assert_int_equal(fetch(fixture, "new/deep/x.jpg"), FAIL_NONE);
	assert_sink_holds(fixture, "other");
	assert_true(origin_put(fixture->origin, "y", fixture->sink, "image/png", deadline_in_ms(1000),
	    &stored, &why));
	assert_true(origin_stat(fixture->origin, "y", deadline_in_ms(1000), &found, &why));
	assert_string_equal(stored.etag, found.etag);
	assert_int_equal(stored.bytes, 5);
	assert_int_equal(stored.modified, found.modified);
}

/* Nothing but names and directories that were there, or were to be made. */
static int
count_entries(const char *path)
{
	DIR *stream = opendir(path);
	int count = 0;

	assert_non_null(stream);
	while (readdir(stream) != NULL)
		count++;
	closedir(stream);
	return count - 2;
}

static void
test_refuses_keys_that_name_no_file(void **state)
{
	struct fixture *fixture = *state;
	char path[2 * PATH_MAX];
	static const char *const keys[] = {
		"", "/", "/x", "x/", "a//b", ".", "..", "../x", "a/../b", ".hidden", "a/.hidden/b", "./x",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(put(fixture, keys[i], "x"), FAIL_BAD_REQUEST);
	assert_int_equal(count_entries(fixture->root), 0);

	path_in(fixture, "out", path);
	assert_int_equal(symlink("../outside", path), 0);
	make_file(fixture, "file", "x");
	make_file(fixture, "directory/x", "x");
	assert_int_equal(put(fixture, "out/new", "x"), FAIL_UPSTREAM);
	assert_int_equal(put(fixture, "out/new/new", "x"), FAIL_UPSTREAM);
	assert_int_equal(put(fixture, "file/new", "x"), FAIL_UPSTREAM);
	assert_int_equal(put(fixture, "directory", "x"), FAIL_UPSTREAM);
	assert_int_equal(count_entries(fixture->root), 3);
	snprintf(path, sizeof(path), "%s/outside", fixture->top);
	assert_int_equal(count_entries(path), 1);
}

struct seen {
	char keys[4096];
	int left;	/* how many more we want to see */
};

static bool
see(void *state, const char *key, const struct origin_object *object)
{
	struct seen *seen = state;
	size_t length = strlen(seen->keys);

	snprintf(seen->keys + length, sizeof(seen->keys) - length, "%s=%llu ", key,
	    (unsigned long long)object->bytes);
	return --seen->left > 0;
}

static void
assert_lists(struct fixture *fixture, const char *prefix, int most, const char *want)
{
	struct seen seen = { "", most };
	struct failure why = { 0 };

	assert_true(origin_list(fixture->origin, prefix, deadline_in_ms(5000), see, &seen, &why));
	assert_string_equal(seen.keys, want);
}

static void
test_lists_in_the_order_of_whole_keys(void **state)
{
	struct fixture *fixture = *state;
	char path[2 * PATH_MAX];
	static const char *const names[] = {
		"a/b", "a-b", "a0", "a/a/a", "a.txt", "\xC3\xA9", "Z", ".hidden", ".git/config", "a/.x", "bad\xFF",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_file(fixture, names[i], "12");
	path_in(fixture, "link", path);
	assert_int_equal(symlink("a.txt", path), 0);
	path_in(fixture, "link-out", path);
	assert_int_equal(symlink("../outside/secret", path), 0);
	path_in(fixture, "link-directory", path);
	assert_int_equal(symlink("a", path), 0);
	path_in(fixture, "fifo", path);
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_lists(fixture, "", 100, "Z=2 a-b=2 a.txt=2 a/a/a=2 a/b=2 a0=2 link=2 \xC3\xA9=2 ");
	assert_lists(fixture, "a", 100, "a-b=2 a.txt=2 a/a/a=2 a/b=2 a0=2 ");
	assert_lists(fixture, "a/", 100, "a/a/a=2 a/b=2 ");
	assert_lists(fixture, "a/a", 100, "a/a/a=2 ");
	assert_lists(fixture, "a/a/a/", 100, "");
	assert_lists(fixture, "a.txt", 100, "a.txt=2 ");
	assert_lists(fixture, "../outside", 100, "");
	assert_lists(fixture, "none", 100, "");
	assert_lists(fixture, "", 3, "Z=2 a-b=2 a.txt=2 ");
}

static void
test_listing_ends_with_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = { "", 100 };
	struct failure why = { 0 };

	make_file(fixture, "x", "");
	assert_false(origin_list(fixture->origin, "", deadline_in_ms(0), see, &seen, &why));
	assert_int_equal(why.kind, FAIL_TIMEOUT);
}

static void
test_the_etag_changes_with_the_file(void **state)
{
	struct fixture *fixture = *state;
	struct origin_object before, after;
	struct failure why = { 0 };

	make_file(fixture, "x", "1");
	assert_true(origin_stat(fixture->origin, "x", deadline_in_ms(1000), &before, &why));
	make_file(fixture, "x", "12");
	assert_true(origin_stat(fixture->origin, "x", deadline_in_ms(1000), &after, &why));
	assert_string_not_equal(before.etag, after.etag);
	assert_null(strchr(after.etag, '"'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fetches_what_is_there_and_replaces_what_was_in_the_file),
		TEST(test_nothing_outside_is_reached),
		TEST(test_links_that_stay_inside_are_followed),
		TEST(test_only_regular_files_are_objects),
		TEST(test_refuses_files_over_the_limit),
		TEST(test_a_file_that_changes_while_it_is_read_is_a_failure),
		TEST(test_copying_ends_with_the_deadline),
		TEST(test_stores_under_a_key_and_makes_its_directories),
		TEST(test_refuses_keys_that_name_no_file),
		TEST(test_lists_in_the_order_of_whole_keys),
		TEST(test_listing_ends_with_the_deadline),
		TEST(test_the_etag_changes_with_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
