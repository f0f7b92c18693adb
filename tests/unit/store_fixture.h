/*
 * store_fixture - a store in a temporary folder, for the tests of lib/store.
 *
 * Contents follow from a number and a size, so any process can say what a file
 * must hold.  Files are inspected from the outside too: by path, not by the
 * functions under test.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "base/digest.h"
#include "base/file.h"
#include "store/inside.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UNUSED_HERE __attribute__((unused)) static

enum { MEBIBYTE = 1 << 20, LARGEST_FILE = 4 * MEBIBYTE };

static char root[64];

UNUSED_HERE int
make_root(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%.40s/vitrine-store-XXXXXX", base == NULL ? "/tmp" : base);
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

UNUSED_HERE void
remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

UNUSED_HERE int
remove_root(void **state)
{
	(void)state;
	remove_tree(root);
	return 0;
}

/* Room for a path below the root; good until the next call but three. */
UNUSED_HERE const char *
below_root(const char *path)
{
	static char paths[4][160];
	static unsigned next;
	char *full = paths[next++ % 4];

	snprintf(full, sizeof(paths[0]), "%s/%s", root, path);
	return full;
}

UNUSED_HERE struct store *
open_store(uint64_t max_original_bytes, uint64_t max_variant_bytes)
{
	struct store_config config = { root, max_original_bytes, max_variant_bytes, MEBIBYTE };
	struct failure why = { 0 };
	struct store *store = store_open(&config, &why);

	if (store == NULL)
		print_error("store_open: %s\n", why.detail);
	assert_non_null(store);
	return store;
}

UNUSED_HERE struct store *
open_large_store(void)
{
	return open_store((uint64_t)1 << 34, (uint64_t)1 << 34);
}

UNUSED_HERE struct key
key_number(unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "key %u", number);
	return key_of(span_of(text));
}

UNUSED_HERE const unsigned char *
content_of(unsigned number, size_t bytes)
{
	static unsigned char content[LARGEST_FILE];
	uint32_t state = number * 2654435761u + (uint32_t)bytes + 1;

	assert_true(bytes <= sizeof(content));
	for (size_t i = 0; i < bytes; i++) {
		state = state * 1664525u + 1013904223u;
		content[i] = (unsigned char)(state >> 24);
	}
	return content;
}

/* Writes file `number`; *file is open when it returns true. */
UNUSED_HERE bool
put_file(struct store *store, enum store_part part, unsigned number, size_t bytes, struct store_file *file,
    struct failure *why)
{
	struct key key = key_number(number);
	struct store_draft draft;

	if (!store_begin(store, &draft, why))
		return false;
	if (!file_write_all(draft.fd, content_of(number, bytes), bytes)) {
		store_discard(store, &draft);
		why->kind = FAIL_INTERNAL;	/* cmocka has a macro fail() */
		return false;
	}
	return store_commit(store, &draft, part, &key, MEDIA_WEBP, file, why);
}

UNUSED_HERE void
put(struct store *store, enum store_part part, unsigned number, size_t bytes)
{
	struct failure why = { 0 };
	struct store_file file;

	if (!put_file(store, part, number, bytes, &file, &why))
		fail_msg("put: %s", why.detail);
	close(file.fd);
}

UNUSED_HERE bool
holds(int fd, unsigned number, size_t bytes)
{
	static unsigned char found[LARGEST_FILE + 1];

	return pread(fd, found, sizeof(found), 0) == (ssize_t)bytes &&
	    memcmp(found, content_of(number, bytes), bytes) == 0;
}

UNUSED_HERE bool
find(struct store *store, enum store_part part, unsigned number)
{
	struct key key = key_number(number);
	struct store_file file;

	if (!store_find(store, part, &key, &file))
		return false;
	close(file.fd);
	return true;
}

UNUSED_HERE bool
has(struct store *store, enum store_part part, unsigned number)
{
	struct key key = key_number(number);

	return store_has(store, part, &key);
}

/* What is on the disk, asked of the disk. */
static uint64_t tree_bytes_sum, tree_files;

static int
add_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)path;
	(void)place;
	if (type == FTW_F) {
		tree_bytes_sum += (uint64_t)status->st_size;
		tree_files++;
	}
	return 0;
}

UNUSED_HERE uint64_t
tree_bytes(const char *path)
{
	tree_bytes_sum = tree_files = 0;
	nftw(below_root(path), add_entry, 16, FTW_PHYS);
	return tree_bytes_sum;
}

UNUSED_HERE uint64_t
believed_bytes(struct store *store, enum store_part part)
{
	uint64_t bytes, limit;

	store_usage(store, part, &bytes, &limit);
	return bytes;
}

UNUSED_HERE unsigned
open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	return count;
}

/* Waits for a child and returns its exit status; 128 + signal when it was killed. */
UNUSED_HERE int
end_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
