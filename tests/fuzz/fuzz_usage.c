/*
 * fuzz_usage - a damaged usage file.  The input is patches of one that is all zeros: three bytes
 * say where, eight what.  The store opens whatever it finds, and can count on from there.
 */
#include "base/check.h"
#include "store/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PLACE_BYTES = 3, PATCH_BYTES = PLACE_BYTES + 8, PATCHES_MAX = 100, FILE_BYTES = 1 << 20 };

static char folder[] = "/tmp/fuzz-usage-XXXXXX";

static void
remove_folder(void)
{
	int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	unlinkat(root, "usage", 0);
	unlinkat(root, "lock", 0);
	close(root);
	rmdir(folder);
}

static int
open_root(void)
{
	static int root = -1;

	if (root == -1) {
		CHECK(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
		root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(root != -1);
	}
	return root;
}

static void
damage(int root, const uint8_t *bytes, size_t size)
{
	int file = openat(root, "usage", O_RDWR | O_CLOEXEC);
	struct stat status;

	CHECK(file != -1 && fstat(file, &status) == 0 && status.st_size >= FILE_BYTES);
	for (size_t at = 0; at + PATCH_BYTES <= size && at < PATCHES_MAX * PATCH_BYTES; at += PATCH_BYTES) {
		off_t place = (bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]) % (status.st_size - 8);

		CHECK(pwrite(file, bytes + at + PLACE_BYTES, 8, place) == 8);
	}
	/* One in eight is also cut off, or too long. */
	if (size % 8 == 1)
		CHECK(ftruncate(file, status.st_size + (bytes[0] % 2 == 0 ? 1 : -1)) == 0);
	close(file);
}

/* More than there is room for is not believed. */
static void
check_belief(const struct usage *usage, int root)
{
	struct statvfs disk;

	CHECK(fstatvfs(root, &disk) == 0);
	for (enum store_part part = 0; part < STORE_PART_COUNT; part++)
		CHECK(usage_bytes(usage, part) <= disk.f_blocks * disk.f_frsize);
}

static void
count_on(struct usage *usage, enum store_part part)
{
	unsigned bucket = 0;
	uint64_t before = usage_bytes(usage, part);

	usage_add(usage, part, 7, 100);
	CHECK(usage_bytes(usage, part) <= before + 100);
	usage_remove(usage, part, 7, 100);
	CHECK(usage_bytes(usage, part) == before);
	if (usage_next_filled(usage, part, &bucket))
		usage_correct(usage, part, bucket, usage_state(usage, part, bucket), 0);
	CHECK(usage_next_to_count(usage, part) < USAGE_BUCKETS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int root = open_root();
	struct usage usage;

	unlinkat(root, "usage", 0);
	usage_open(&usage, root);
	CHECK(usage.page != NULL);
	usage_close(&usage);
	damage(root, bytes, size);
	usage_open(&usage, root);
	CHECK(usage.page != NULL);
	check_belief(&usage, root);
	for (enum store_part part = 0; part < STORE_PART_COUNT; part++)
		count_on(&usage, part);
	usage_close(&usage);
	return 0;
}
