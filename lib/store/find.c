/*
 * Finding is what the server does most: a handful of system calls, no lock and
 * no list.  No file is opened by any other way, so what is checked here holds
 * for everything that is served.
 */
#include "base/check.h"
#include "store/inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TOUCH_AFTER_SECONDS = 600 };

enum { NS_PER_SECOND = 1000000000 };

static int64_t
ns_of(struct timespec time)
{
	return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return ns_of(now);
}

static bool
has_checksum(int fd, const struct key *key, uint64_t want)
{
	uint64_t checksum;

	return store_checksum(fd, key, &checksum) && checksum == want;
}

static bool
is_verified(struct store *store, enum store_part part, const struct key *key, int fd, const struct stat *status,
    const struct record *record)
{
	enum media media;

	if (verified_find(store->verified, part, key, status, &media))
		return true;
	if (!has_checksum(fd, key, record->checksum))
		return false;
	verified_note(store->verified, part, key, status, record->media);
	return true;
}

/* The file is what its record says. */
static bool
is_sound(struct store *store, enum store_part part, const struct key *key, int fd, struct stat *status,
    struct record *record)
{
	return fstat(fd, status) != -1 && S_ISREG(status->st_mode) && record_get(fd, record) &&
	    (uint64_t)status->st_size == record->bytes && is_verified(store, part, key, fd, status, record);
}

static bool
is_to_be_marked(const struct stat *status)
{
	return llabs(now_ns() - ns_of(status->st_mtim)) > (int64_t)TOUCH_AFTER_SECONDS * NS_PER_SECOND;
}

static void
mark_used(int fd, const struct stat *status)
{
	/* Both times, because that is allowed to everybody who may write the
	 * file, not only to its owner.  A failure makes it look older: no harm. */
	if (is_to_be_marked(status))
		(void)futimens(fd, NULL);
}

bool
store_open_sound(struct store *store, enum store_part part, const struct key *key, struct store_file *file,
    struct stat *status)
{
	struct record record;

	store_file_path(part, key, file->path);
	/* O_NONBLOCK: a FIFO that somebody put there must not hold us. */
	file->fd = openat(store->root_fd, file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file->fd == -1) {
		store_renew_root(store);
		return false;
	}
	if (!is_sound(store, part, key, file->fd, status, &record)) {
		close(file->fd);
		file->fd = -1;
		/* Perhaps a good one has just taken its place; then that is
		 * made once more. */
		store_remove(store, part, key);
		return false;
	}
	file->bytes = record.bytes;
	file->checksum = record.checksum;
	file->media = record.media;
	return true;
}

bool
store_find(struct store *store, enum store_part part, const struct key *key, struct store_file *file)
{
	struct stat status;

	if (!store_open_sound(store, part, key, file, &status))
		return false;
	mark_used(file->fd, &status);
	return true;
}

bool
store_find_unopened(struct store *store, enum store_part part, const struct key *key, struct store_file *file)
{
	struct stat status;

	store_file_path(part, key, file->path);
	/* Marking it as used moves its ctime, so it will have to be verified anyway. */
	if (fstatat(store->root_fd, file->path, &status, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(status.st_mode) ||
	    is_to_be_marked(&status) || !verified_find(store->verified, part, key, &status, &file->media))
		return false;
	file->fd = -1;
	file->bytes = (uint64_t)status.st_size;
	file->checksum = 0;
	return true;
}

bool
store_is_unchanged(struct store *store, enum store_part part, const struct key *key, const struct store_file *file)
{
	struct record record = { .bytes = file->bytes, .checksum = file->checksum, .media = file->media };
	struct stat status;

	if (fstat(file->fd, &status) != -1 && is_verified(store, part, key, file->fd, &status, &record))
		return true;
	store_remove(store, part, key);
	return false;
}

bool
store_has(struct store *store, enum store_part part, const struct key *key)
{
	char path[STORE_PATH_MAX];

	store_file_path(part, key, path);
	return faccessat(store->root_fd, path, F_OK, 0) != -1;
}

void
store_remove(struct store *store, enum store_part part, const struct key *key)
{
	char path[STORE_PATH_MAX];
	unsigned bucket = store_bucket_of(key);
	struct stat status;

	store_file_path(part, key, path);
	if (fstatat(store->root_fd, path, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	usage_refresh(&store->usage, store->root_fd);
	usage_remove(&store->usage, part, bucket, (uint64_t)status.st_size);
	if (unlinkat(store->root_fd, path, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) == -1)
		usage_add(&store->usage, part, bucket, (uint64_t)status.st_size);
}
