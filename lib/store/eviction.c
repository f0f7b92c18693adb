#include "store/eviction.h"

#include "store/inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	SAMPLE_FILES = 32,		/* seen in a round, if there are so many ... */
	SAMPLE_BUCKETS = 32,		/* ... in this many directories */
	VICTIMS_MAX = 32,		/* of a round */
	NEEDED_PART = 4,		/* of what was seen may go while it is needed, ... */
	AHEAD_PART = 8,			/* ... and go for the commits to come, while that is ... */
	SPARE_PART = 256,		/* ... so little of the limit */
	ROUNDS_MAX = 64,		/* of a commit: 512 files at least, some ten milliseconds */
};

/* The pace of counting while the usage file is new; and afterwards. */
enum { COUNT_EVERY_BYTES = 4096, COUNT_MIN = 16, COUNT_MAX = 4096, COMMITS_PER_COUNT = 4 };

/* What should be free on the disk, for drafts: a 64th of it, but no more than this. */
enum { DISK_RESERVE_PART = 64, DISK_RESERVE_BYTES = 64 << 20, DISK_RESERVE_INODES = 1024 };

struct victim {
	struct key key;
	uint64_t bytes;
	struct timespec used;
};

/* The oldest of the files that a round has seen, oldest first. */
struct sample {
	struct victim victims[VICTIMS_MAX];
	unsigned count;
	unsigned seen;
};

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool
is_older(const struct victim *a, const struct victim *b)
{
	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec < b->used.tv_sec;
	return a->used.tv_nsec < b->used.tv_nsec;
}

static void
sample_add(struct sample *sample, const struct victim *file)
{
	unsigned at = sample->count;

	sample->seen++;
	if (sample->count < VICTIMS_MAX)
		sample->count++;
	else if (!is_older(file, &sample->victims[--at]))
		return;
	for (; at > 0 && is_older(file, &sample->victims[at - 1]); at--)
		sample->victims[at] = sample->victims[at - 1];
	sample->victims[at] = *file;
}

/* What else somebody may have put into the folder is not ours to remove. */
static bool
read_entry(DIR *folder, const char *name, struct victim *file)
{
	struct stat status;

	if (strlen(name) != KEY_HEX || strspn(name, "0123456789abcdef") != KEY_HEX ||
	    fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(status.st_mode))
		return false;
	memcpy(file->key.hex, name, sizeof(file->key.hex));
	file->bytes = (uint64_t)status.st_size;
	file->used = status.st_mtim;
	return true;
}

static DIR *
open_bucket(struct store *store, enum store_part part, unsigned bucket)
{
	char path[STORE_PATH_MAX];
	DIR *folder;
	int fd;

	store_bucket_path(part, bucket, path);
	fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return NULL;
	folder = fdopendir(fd);
	if (folder == NULL)
		close(fd);
	return folder;
}

/* Lists a directory: its files go to the sample, its bytes to the usage. */
static void
look_into(struct store *store, enum store_part part, unsigned bucket, struct sample *sample)
{
	uint64_t state = usage_state(&store->usage, part, bucket);
	DIR *folder = open_bucket(store, part, bucket);
	int64_t found = 0;
	struct dirent *entry;
	struct victim file;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (!read_entry(folder, entry->d_name, &file))
			continue;
		found += (int64_t)file.bytes;
		sample_add(sample, &file);
	}
	if (folder != NULL)
		closedir(folder);
	usage_correct(&store->usage, part, bucket, state, found);
}

void
eviction_count_bucket(struct store *store, enum store_part part, unsigned bucket)
{
	struct sample unused = { .count = 0 };

	look_into(store, part, bucket, &unused);
}

/* False when no directory is believed to hold anything. */
static bool
take_sample(struct store *store, enum store_part part, struct sample *sample)
{
	unsigned bucket = (unsigned)(store_random(store) % USAGE_BUCKETS);

	*sample = (struct sample){ .count = 0 };
	for (unsigned i = 0; i < SAMPLE_BUCKETS && sample->seen < SAMPLE_FILES; i++) {
		if (!usage_next_filled(&store->usage, part, &bucket))
			return false;
		look_into(store, part, bucket, sample);
		bucket = (bucket + 1) % USAGE_BUCKETS;
	}
	return true;
}

static void
evict(struct store *store, enum store_part part, const struct victim *victim)
{
	unsigned bucket = store_bucket_of(&victim->key);
	char path[STORE_PATH_MAX];

	store_file_path(part, &victim->key, path);
	usage_remove(&store->usage, part, bucket, victim->bytes);
	/* Another process may have been faster, and has counted it. */
	if (unlinkat(store->root_fd, path, 0) == -1)
		usage_add(&store->usage, part, bucket, victim->bytes);
}

/* What is over the limit has to go.  The listing was the dear part, so what is as old goes too,
 * unless it is so large that the store would be left with room that it could have used. */
static bool
should_go(const struct sample *sample, unsigned rank, uint64_t held, uint64_t max_bytes)
{
	if (held > max_bytes)
		return rank < (sample->seen + NEEDED_PART - 1) / NEEDED_PART;
	return rank < sample->seen / AHEAD_PART &&
	    held - smaller(held, sample->victims[rank].bytes) >= max_bytes - max_bytes / SPARE_PART;
}

void
eviction_shrink(struct store *store, enum store_part part, uint64_t max_bytes)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct sample sample;

		if (usage_bytes(&store->usage, part) <= max_bytes || !take_sample(store, part, &sample))
			return;
		for (unsigned i = 0; i < sample.count &&
		    should_go(&sample, i, usage_bytes(&store->usage, part), max_bytes); i++)
			evict(store, part, &sample.victims[i]);
	}
}

static uint64_t
bytes_to_relieve(const struct statvfs *disk)
{
	uint64_t free_bytes = disk->f_bavail * disk->f_frsize;
	uint64_t wanted = smaller(disk->f_blocks * disk->f_frsize / DISK_RESERVE_PART, DISK_RESERVE_BYTES);

	return free_bytes < wanted ? wanted - free_bytes : 0;
}

static bool
inodes_are_short(const struct statvfs *disk)
{
	/* f_files is 0 where inodes are made as needed. */
	return disk->f_favail < smaller(disk->f_files / DISK_RESERVE_PART, DISK_RESERVE_INODES);
}

static enum store_part
largest_part(const struct store *store)
{
	enum store_part largest = 0;

	for (enum store_part part = 1; part < STORE_PART_COUNT; part++)
		if (usage_bytes(&store->usage, part) > usage_bytes(&store->usage, largest))
			largest = part;
	return largest;
}

static void
relieve_part(struct store *store, enum store_part part, uint64_t bytes)
{
	uint64_t held = usage_bytes(&store->usage, part);

	eviction_shrink(store, part, held - smaller(bytes, held));
}

void
eviction_relieve_disk(struct store *store)
{
	struct statvfs disk;
	uint64_t bytes;

	if (fstatvfs(store->root_fd, &disk) == -1)
		return;
	bytes = bytes_to_relieve(&disk);
	if (bytes == 0 && !inodes_are_short(&disk))
		return;
	usage_refresh(&store->usage, store->root_fd);
	if (bytes > 0)
		relieve_part(store, largest_part(store), bytes);
	/* Small files hold inodes, whatever they have of the bytes. */
	for (enum store_part part = 0; part < STORE_PART_COUNT && inodes_are_short(&disk); part++)
		relieve_part(store, part, usage_bytes(&store->usage, part) / DISK_RESERVE_PART + 1);
}

/* By chance, not every so many: a request that writes a file of each part, in turn, would
 * always count the same part. */
static uint64_t
buckets_to_count(struct store *store, enum store_part part, uint64_t new_bytes)
{
	uint64_t count = new_bytes / COUNT_EVERY_BYTES;

	if (usage_is_counted(&store->usage, part))
		return store_random(store) % COMMITS_PER_COUNT == 0;
	if (count < COUNT_MIN)
		return COUNT_MIN;
	return smaller(count, COUNT_MAX);
}

void
eviction_count_some(struct store *store, enum store_part part, uint64_t new_bytes)
{
	for (uint64_t left = buckets_to_count(store, part, new_bytes); left > 0; left--)
		eviction_count_bucket(store, part, usage_next_to_count(&store->usage, part));
}
