#include "store/usage.h"

#include "base/check.h"
#include "base/deadline.h"
#include "store/lock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "counters in shared memory need lock-free atomics");

/* Change the last digit with the layout. */
static const char magic[16] = "vitrine usage 2";

/* A bucket's bytes are the lower 48 bits, signed; every change also adds to the
 * bits above, so that a look notices two changes that cancel each other. */
struct usage_part {
	_Atomic int64_t bytes;
	_Atomic uint64_t looks;		/* so far; modulo USAGE_BUCKETS the next one's bucket */
	_Atomic uint64_t buckets[USAGE_BUCKETS];
};

struct usage_page {
	char magic[16];
	struct usage_part parts[STORE_PART_COUNT];
};

enum {
	BYTES_BITS = 48,
	MAKE_TIMEOUT_MS = 5000,		/* another process makes the file: a millisecond's work */
	LOOKS_PER_SUM = 4096,		/* adding up a part takes some 30 microseconds */
};

static int64_t
bytes_in(uint64_t state)
{
	return (int64_t)(state << (64 - BYTES_BITS)) >> (64 - BYTES_BITS);
}

/* Borrows and carries into the upper bits do no harm there. */
static uint64_t
state_after(uint64_t state, int64_t bytes)
{
	return state + (uint64_t)bytes + ((uint64_t)1 << BYTES_BITS);
}

static int64_t
bytes_of_bucket(const struct usage_part *part, unsigned bucket)
{
	return bytes_in(atomic_load_explicit(&part->buckets[bucket], memory_order_relaxed));
}

static int64_t
sum_of_buckets(const struct usage_part *part)
{
	int64_t sum = 0;

	for (unsigned bucket = 0; bucket < USAGE_BUCKETS; bucket++)
		sum += bytes_of_bucket(part, bucket);
	return sum;
}

/* Numbers that no disk can hold come from a damaged file. */
static bool
part_is_credible(const struct usage_part *part, int64_t disk_bytes)
{
	int64_t sum = 0;

	for (unsigned bucket = 0; bucket < USAGE_BUCKETS; bucket++) {
		int64_t bytes = bytes_of_bucket(part, bucket);

		if (bytes < -disk_bytes || bytes > disk_bytes)
			return false;
		sum += bytes;
		if (sum < -disk_bytes || sum > disk_bytes)
			return false;
	}
	return true;
}

static bool
page_is_credible(const struct usage_page *page, int64_t disk_bytes)
{
	if (memcmp(page->magic, magic, sizeof(magic)) != 0)
		return false;
	for (enum store_part part = 0; part < STORE_PART_COUNT; part++)
		if (!part_is_credible(&page->parts[part], disk_bytes))
			return false;
	return true;
}

static int64_t
disk_bytes_of(int fd)
{
	struct statvfs disk;

	if (fstatvfs(fd, &disk) == -1 || disk.f_blocks == 0)
		return INT64_MAX / 4;
	return (int64_t)(disk.f_blocks * disk.f_frsize);
}

static bool
has_right_size(int fd)
{
	struct stat status;

	return fstat(fd, &status) != -1 && S_ISREG(status.st_mode) && status.st_nlink > 0 &&
	    status.st_size == sizeof(struct usage_page);
}

static struct usage_page *
map_page(int fd)
{
	int64_t disk_bytes = disk_bytes_of(fd);
	struct usage_page *page;

	if (!has_right_size(fd))
		return NULL;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return NULL;
	if (page_is_credible(page, disk_bytes))
		return page;
	munmap(page, sizeof(*page));
	return NULL;
}

static bool
open_existing(struct usage *usage, int root_fd)
{
	usage->fd = openat(root_fd, "usage", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (usage->fd == -1)
		return false;
	usage->page = map_page(usage->fd);
	if (usage->page != NULL)
		return true;
	close(usage->fd);
	usage->fd = -1;
	return false;
}

/* The old file is unlinked and not cut, because others may have it mapped; they
 * see it in usage_refresh().  The blocks are allocated now, because a full disk
 * would be SIGBUS later; the magic is written last, so that what a dying process
 * leaves counts as damaged. */
static bool
make_file(int root_fd)
{
	int fd, error;
	bool is_written;

	unlinkat(root_fd, "usage", 0);
	fd = openat(root_fd, "usage", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd == -1)
		return false;
	error = posix_fallocate(fd, 0, sizeof(struct usage_page));
	is_written = error == 0 && pwrite(fd, magic, sizeof(magic), 0) == sizeof(magic);
	close(fd);
	if (error != 0)
		errno = error;
	return is_written;
}

static void
sum_up(struct usage_part *part)
{
	atomic_store(&part->bytes, sum_of_buckets(part));
}

static bool
open_or_make(struct usage *usage, int root_fd)
{
	struct failure why = { 0 };
	struct store_lock lock;
	bool is_open;

	if (open_existing(usage, root_fd))
		return true;
	if (!lock_wait(root_fd, LOCK_USAGE, deadline_in_ms(MAKE_TIMEOUT_MS), &lock, &why))
		return false;
	is_open = open_existing(usage, root_fd) || (make_file(root_fd) && open_existing(usage, root_fd));
	store_unlock(&lock);
	return is_open;
}

static bool
open_shared(struct usage *usage, int root_fd)
{
	*usage = (struct usage){ .fd = -1 };
	if (!open_or_make(usage, root_fd))
		return false;
	/* What processes had reserved when they were killed is in no bucket. */
	for (unsigned part = 0; part < STORE_PART_COUNT; part++)
		sum_up(&usage->page->parts[part]);
	return true;
}

static void
open_private(struct usage *usage)
{
	*usage = (struct usage){
		.fd = -1,
		.page = mmap(NULL, sizeof(*usage->page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	};
	CHECK(usage->page != MAP_FAILED);
}

void
usage_open(struct usage *usage, int root_fd)
{
	if (!open_shared(usage, root_fd))
		open_private(usage);
}

void
usage_close(struct usage *usage)
{
	munmap(usage->page, sizeof(*usage->page));
	if (usage->fd != -1)
		close(usage->fd);
	*usage = (struct usage){ .fd = -1 };
}

void
usage_refresh(struct usage *usage, int root_fd)
{
	struct usage fresh;

	if (has_right_size(usage->fd))
		return;
	if (open_shared(&fresh, root_fd)) {
		usage_close(usage);
		*usage = fresh;
	} else if (usage->fd != -1) {
		usage_close(usage);
		open_private(usage);
	}
}

uint64_t
usage_bytes(const struct usage *usage, enum store_part part)
{
	int64_t bytes = atomic_load(&usage->page->parts[part].bytes);

	return bytes > 0 ? (uint64_t)bytes : 0;
}

void
usage_reserve(struct usage *usage, enum store_part part, uint64_t bytes)
{
	atomic_fetch_add(&usage->page->parts[part].bytes, (int64_t)bytes);
}

/* Returns the new state. */
static uint64_t
change_bucket(struct usage *usage, enum store_part part, unsigned bucket, int64_t bytes)
{
	uint64_t before = atomic_fetch_add(&usage->page->parts[part].buckets[bucket],
	    state_after(0, bytes));

	return state_after(before, bytes);
}

uint64_t
usage_settle(struct usage *usage, enum store_part part, unsigned bucket, uint64_t bytes)
{
	return change_bucket(usage, part, bucket, (int64_t)bytes);
}

void
usage_add(struct usage *usage, enum store_part part, unsigned bucket, uint64_t bytes)
{
	usage_reserve(usage, part, bytes);
	usage_settle(usage, part, bucket, bytes);
}

void
usage_remove(struct usage *usage, enum store_part part, unsigned bucket, uint64_t bytes)
{
	change_bucket(usage, part, bucket, -(int64_t)bytes);
	atomic_fetch_sub(&usage->page->parts[part].bytes, (int64_t)bytes);
}

uint64_t
usage_state(const struct usage *usage, enum store_part part, unsigned bucket)
{
	return atomic_load(&usage->page->parts[part].buckets[bucket]);
}

void
usage_correct(struct usage *usage, enum store_part part, unsigned bucket, uint64_t state, int64_t found)
{
	struct usage_part *counters = &usage->page->parts[part];
	int64_t missing = found - bytes_in(state);

	if (missing != 0 && atomic_compare_exchange_strong(&counters->buckets[bucket], &state,
	    state_after(state, missing)))
		atomic_fetch_add(&counters->bytes, missing);
}

bool
usage_next_filled(const struct usage *usage, enum store_part part, unsigned *bucket)
{
	const struct usage_part *counters = &usage->page->parts[part];

	for (unsigned i = 0; i < USAGE_BUCKETS; i++) {
		unsigned next = (*bucket + i) % USAGE_BUCKETS;

		if (bytes_of_bucket(counters, next) != 0) {
			*bucket = next;
			return true;
		}
	}
	return false;
}

unsigned
usage_next_to_count(struct usage *usage, enum store_part part)
{
	struct usage_part *counters = &usage->page->parts[part];
	uint64_t looks = atomic_fetch_add(&counters->looks, 1);

	if (looks % LOOKS_PER_SUM == 0)
		sum_up(counters);
	return (unsigned)(looks % USAGE_BUCKETS);
}

bool
usage_is_counted(const struct usage *usage, enum store_part part)
{
	return atomic_load(&usage->page->parts[part].looks) >= USAGE_BUCKETS;
}
