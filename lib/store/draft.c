/*
 * Writing: a draft grows in tmp/ and becomes visible by rename, complete.
 *
 * Nothing is synced.  After a crash of the machine a renamed file may have its
 * name and none of its bytes; its size or checksum then differs from its record,
 * store_find() removes it, and it is made again: cheaper than an fsync for each
 * of millions of files that are never needed after a crash.
 *
 * A draft is locked (flock) by its open file description from the moment it
 * has a name, also while a renderer holds a copy of the descriptor.  So one that
 * nobody locks was left by a dead process and may be removed by anybody.
 *
 * A disk that takes nothing costs the keeping and not the answer: a draft can be in
 * memory, and one that is complete but gets no name is handed out without one.
 */
#include "base/check.h"
#include "store/eviction.h"
#include "store/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BEGIN_ATTEMPTS = 16,
	RENAME_ATTEMPTS = 3,
	RELIEF_FILES = 8,		/* of the draft's size: it needs up to three inodes */
	SWEEP_EVERY_DRAFTS = 64,	/* of a process, for what others left when they were killed */
};

/* ---- leftovers ------------------------------------------------------------ */

static void
remove_if_unlocked(int folder_fd, const char *name)
{
	int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1)
		return;
	/* Held while unlinking: see lock_draft(). */
	if (flock(fd, LOCK_EX | LOCK_NB) != -1)
		unlinkat(folder_fd, name, 0);
	close(fd);
}

void
store_sweep_drafts(struct store *store)
{
	int fd = openat(store->root_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (folder == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			remove_if_unlocked(fd, entry->d_name);
	closedir(folder);
}

/* ---- begin and discard ------------------------------------------------------ */

/* Between open and flock a sweeper may take the file for a leftover.  It locks
 * before it unlinks, so we either fail to lock or find our file without a name. */
static bool
lock_draft(int fd)
{
	struct stat status;

	return flock(fd, LOCK_EX | LOCK_NB) != -1 && fstat(fd, &status) != -1 && status.st_nlink > 0;
}

static bool
try_to_begin(struct store *store, struct store_draft *draft)
{
	snprintf(draft->path, sizeof(draft->path), "tmp/%d-%u-%016" PRIx64, (int)getpid(),
	    store->drafts_begun++, store_random(store));
	draft->fd = openat(store->root_fd, draft->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    STORE_FILE_MODE);
	if (draft->fd == -1 && errno == ENOENT) {
		store_renew_root(store);
		mkdirat(store->root_fd, "tmp", STORE_FOLDER_MODE);
		errno = ENOENT;
	}
	if (draft->fd == -1)
		return false;
	if (lock_draft(draft->fd))
		return true;
	store_discard(store, draft);
	errno = EEXIST;
	return false;
}

bool
store_begin(struct store *store, struct store_draft *draft, struct failure *why)
{
	if (store->drafts_begun % SWEEP_EVERY_DRAFTS == SWEEP_EVERY_DRAFTS - 1)
		store_sweep_drafts(store);
	if (store->usage.page != NULL)
		eviction_relieve_disk(store);
	for (unsigned i = 0; i < BEGIN_ATTEMPTS; i++) {
		if (try_to_begin(store, draft))
			return true;
		if (errno != ENOENT && errno != EEXIST)
			break;
	}
	return fail(why, FAIL_INTERNAL, "cannot make a file in %s/tmp: %s", store->root, strerror(errno));
}

bool
store_begin_in_memory(struct store_draft *draft, struct failure *why)
{
	draft->path[0] = '\0';
	draft->fd = memfd_create("draft", MFD_CLOEXEC);
	return draft->fd != -1 || fail(why, FAIL_INTERNAL, "cannot make a file in memory: %s", strerror(errno));
}

bool
store_draft_is_in_memory(const struct store_draft *draft)
{
	return draft->path[0] == '\0';
}

void
store_discard(struct store *store, struct store_draft *draft)
{
	if (draft->fd == -1)
		return;
	if (!store_draft_is_in_memory(draft))
		unlinkat(store->root_fd, draft->path, 0);
	close(draft->fd);
	draft->fd = -1;
}

/* ---- commit ------------------------------------------------------------------ */

static bool
measure_draft(const struct store_draft *draft, const struct key *key, struct record *record,
    struct failure *why)
{
	struct stat status;

	if (fstat(draft->fd, &status) == -1 || !store_checksum(draft->fd, key, &record->checksum))
		return fail(why, FAIL_INTERNAL, "cannot read back a draft: %s", strerror(errno));
	record->bytes = (uint64_t)status.st_size;
	return true;
}

/* The size of what the draft is about to replace. */
static uint64_t
bytes_of(struct store *store, const char *path)
{
	struct stat status;

	return fstatat(store->root_fd, path, &status, AT_SYMLINK_NOFOLLOW) == -1 ? 0 :
	    (uint64_t)status.st_size;
}

/* False with errno. */
static bool
put_in_place(struct store *store, const struct store_draft *draft, enum store_part part, unsigned bucket,
    const char *path, const struct record *record)
{
	if (!record_put(draft->fd, record))
		return false;
	for (unsigned i = 0; i < RENAME_ATTEMPTS; i++) {
		if (renameat(store->root_fd, draft->path, store->root_fd, path) != -1)
			return true;
		if (errno != ENOENT || !store_make_bucket(store, part, bucket))
			return false;
	}
	errno = ENOENT;		/* the draft itself was removed, or the folders again and again */
	return false;
}

/* The attribute or a new directory may need a block or an inode that is not
 * there: make some room, once. */
static bool
put_in_place_somehow(struct store *store, const struct store_draft *draft, enum store_part part,
    unsigned bucket, const char *path, const struct record *record)
{
	uint64_t held, relief = RELIEF_FILES * record->bytes;

	if (put_in_place(store, draft, part, bucket, path, record))
		return true;
	if (errno != ENOSPC && errno != EDQUOT)
		return false;
	held = usage_bytes(&store->usage, part);
	eviction_shrink(store, part, held > relief ? held - relief : 0);
	return put_in_place(store, draft, part, bucket, path, record);
}

/* Sets the path of the file when it has got its name. */
static void
publish(struct store *store, const struct store_draft *draft, enum store_part part, const struct key *key,
    const struct record *record, struct store_file *file)
{
	unsigned bucket = store_bucket_of(key);
	char path[STORE_PATH_MAX];
	uint64_t old_bytes, state;

	store_file_path(part, key, path);
	usage_reserve(&store->usage, part, record->bytes);
	eviction_shrink(store, part, store->max_bytes[part]);
	old_bytes = bytes_of(store, path);
	state = usage_settle(&store->usage, part, bucket, record->bytes);
	if (!put_in_place_somehow(store, draft, part, bucket, path, record)) {
		usage_remove(&store->usage, part, bucket, record->bytes);
		return;
	}
	/* Somebody who counted the directory meanwhile did not see our file. */
	if (usage_state(&store->usage, part, bucket) != state)
		eviction_count_bucket(store, part, bucket);
	else
		usage_remove(&store->usage, part, bucket, old_bytes);
	snprintf(file->path, sizeof(file->path), "%s", path);
}

static void
keep_draft(struct store *store, const struct store_draft *draft, enum store_part part, const struct key *key,
    const struct record *record, struct store_file *file)
{
	usage_refresh(&store->usage, store->root_fd);
	/* Before anything is reserved: summing up forgets reservations. */
	eviction_count_some(store, part, record->bytes);
	publish(store, draft, part, key, record, file);
	/* It gets no name; this one it loses too, and lasts as long as it is open. */
	if (file->path[0] == '\0')
		unlinkat(store->root_fd, draft->path, 0);
}

/* A descriptor that cannot write, since it is handed to renderers, and opened before
 * the rename, because afterwards it could be evicted. */
static bool
open_to_read(const struct store_draft *draft, struct store_file *file, struct failure *why)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", draft->fd);
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	return file->fd != -1 || fail(why, FAIL_INTERNAL, "cannot open a draft again: %s", strerror(errno));
}

static bool
commit_draft(struct store *store, const struct store_draft *draft, enum store_part part,
    const struct key *key, enum media media, struct store_file *file, struct failure *why)
{
	struct record record = { .media = media };

	if (!measure_draft(draft, key, &record, why))
		return false;
	/* It would drive everything else out and then not fit either. */
	if (record.bytes > store->max_bytes[part])
		return fail(why, FAIL_INTERNAL, "%" PRIu64 " bytes are over the store's limit of %" PRIu64,
		    record.bytes, store->max_bytes[part]);
	if (!open_to_read(draft, file, why))
		return false;
	file->bytes = record.bytes;
	file->checksum = record.checksum;
	file->media = media;
	file->path[0] = '\0';
	if (!store_draft_is_in_memory(draft))
		keep_draft(store, draft, part, key, &record, file);
	return true;
}

bool
store_commit(struct store *store, struct store_draft *draft, enum store_part part, const struct key *key,
    enum media media, struct store_file *file, struct failure *why)
{
	file->fd = -1;
	if (!commit_draft(store, draft, part, key, media, file, why)) {
		store_discard(store, draft);
		return false;
	}
	close(draft->fd);
	draft->fd = -1;
	return true;
}
