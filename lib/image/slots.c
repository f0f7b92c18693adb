#include "image/slots.h"

#include "base/check.h"
#include "base/deadline.h"
#include "image/description.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NONE = -1 };

struct slots {
	int memory;
	int count;
	struct slot *index;
	int current;		/* the one that is locked, or NONE */
	bool is_writer;
	int mapped;		/* whose pixels are mapped, or NONE */
	void *pixels;
};

struct slots *
slots_open(int memory)
{
	struct slots *slots;
	struct stat status;
	void *index;

	CHECK(sizeof(struct slot) * SLOTS_MAX <= SLOT_INDEX_BYTES);
	if (fstat(memory, &status) == -1 || status.st_size < SLOT_INDEX_BYTES)
		return NULL;
	index = mmap(NULL, SLOT_INDEX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (index == MAP_FAILED)
		return NULL;
	slots = calloc(1, sizeof(*slots));
	CHECK(slots != NULL);
	*slots = (struct slots){
		.memory = memory,
		.count = (int)((status.st_size - SLOT_INDEX_BYTES) / SLOT_BYTES),
		.index = index,
		.current = NONE,
		.mapped = NONE,
	};
	return slots;
}

static void
unmap(struct slots *slots)
{
	if (slots->mapped != NONE)
		munmap(slots->pixels, SLOT_BYTES);
	slots->mapped = NONE;
}

void
slots_close(struct slots *slots)
{
	if (slots == NULL)
		return;
	slots_leave(slots);
	unmap(slots);
	munmap(slots->index, SLOT_INDEX_BYTES);
	free(slots);
}

/* ---- locks ------------------------------------------------------------------------------- */

static bool
lock(const struct slots *slots, int number, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = number, .l_len = 1 };

	return fcntl(slots->memory, F_SETLK, &lock) == 0;
}

static bool
enter(struct slots *slots, int number, short type)
{
	if (!lock(slots, number, type))
		return false;
	slots->current = number;
	slots->is_writer = type == F_WRLCK;
	return true;
}

bool
slots_write(struct slots *slots)
{
	return slots->is_writer || enter(slots, slots->current, F_WRLCK);
}

void
slots_read_only(struct slots *slots)
{
	if (slots->is_writer)
		CHECK(enter(slots, slots->current, F_RDLCK));
}

void
slots_leave(struct slots *slots)
{
	if (slots->current == NONE)
		return;
	atomic_store(&slots->index[slots->current].used_us, monotonic_us());
	CHECK(lock(slots, slots->current, F_UNLCK));
	slots->current = NONE;
}

/* ---- which -------------------------------------------------------------------------------- */

static struct slot_key
key_of(const struct stat *file)
{
	return (struct slot_key){
		SLOTS_REVISION, file->st_dev, file->st_ino, (uint64_t)file->st_size,
		file->st_mtim.tv_sec, file->st_mtim.tv_nsec, file->st_ctim.tv_sec, file->st_ctim.tv_nsec
	};
}

static bool
has_key(const struct slot *slot, const struct slot_key *key)
{
	return memcmp(&slot->key, key, sizeof(*key)) == 0;
}

struct slot *
slots_find(struct slots *slots, const struct stat *file, bool *is_known)
{
	struct slot_key key = key_of(file);

	*is_known = false;
	for (int i = 0; i < slots->count; i++) {
		struct slot *slot = &slots->index[i];

		/* A look without the lock may be wrong, one with it is not. */
		if (!has_key(slot, &key))
			continue;
		*is_known = true;
		if (!enter(slots, i, F_RDLCK))
			return NULL;
		if (has_key(slot, &key))
			return slot;
		slots_leave(slots);
	}
	return NULL;
}

/* What cannot be was written by who wants to keep a slot for ever. */
static int64_t
last_use_us(const struct slot *slot)
{
	int64_t used_us = atomic_load(&slot->used_us);

	return used_us > 0 && used_us <= monotonic_us() ? used_us : 0;
}

/* The one that is unused for longest, of those that were used after that. */
static int
least_lately_used(const struct slots *slots, int64_t after_us)
{
	int64_t least_us = INT64_MAX;
	int found = NONE;

	for (int i = 0; i < slots->count; i++) {
		int64_t used_us = last_use_us(&slots->index[i]);

		if (used_us <= after_us || used_us >= least_us)
			continue;
		found = i;
		least_us = used_us;
	}
	return found;
}

struct slot *
slots_claim(struct slots *slots, const struct stat *file)
{
	int64_t tried_us = -1;
	int number;

	/* Others may change the order meanwhile: then not all are tried, or one twice. */
	for (int tries = 0; tries < slots->count && (number = least_lately_used(slots, tried_us)) != NONE; tries++) {
		struct slot *slot = &slots->index[number];

		tried_us = last_use_us(slot);
		if (!enter(slots, number, F_WRLCK))
			continue;
		atomic_store(&slot->levels, 0);
		slot->key = key_of(file);
		atomic_store(&slot->used_us, monotonic_us());
		return slot;
	}
	return NULL;
}

/* ---- pixels --------------------------------------------------------------------------------- */

static off_t
offset_of(int number)
{
	return SLOT_INDEX_BYTES + (off_t)number * SLOT_BYTES;
}

/* They stay mapped, because the next job is mostly of the same file. */
static bool
map(struct slots *slots, int number)
{
	if (slots->mapped == number)
		return true;
	unmap(slots);
	slots->pixels = mmap(NULL, SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, slots->memory, offset_of(number));
	if (slots->pixels == MAP_FAILED)
		return false;
	slots->mapped = number;
	return true;
}

void *
slots_pixels(struct slots *slots)
{
	return map(slots, slots->current) ? slots->pixels : NULL;
}

/* All pages at once cost a fifth of as many faults, 3 instead of 18 ms for 45 MB; and who writes where the system
 * has no memory left would be killed.  Kernels before 5.14 do not know it. */
void *
slots_room(struct slots *slots, size_t offset, size_t bytes)
{
	size_t before = offset % (size_t)sysconf(_SC_PAGESIZE);

	if (!map(slots, slots->current) ||
	    (madvise((char *)slots->pixels + offset - before, before + bytes, MADV_POPULATE_WRITE) == -1 &&
	    errno != EINVAL))
		return NULL;
	return slots->pixels;
}

static void
forget(struct slots *slots, struct slot *slot)
{
	atomic_store(&slot->levels, 0);
	if (map(slots, slots->current) && madvise(slots->pixels, SLOT_BYTES, MADV_REMOVE) == 0)
		slot->key = (struct slot_key){ 0 };
}

bool
slots_forget(struct slots *slots, int64_t unused_ms)
{
	int64_t since_us = monotonic_us() - unused_ms * 1000;
	static const struct slot_key none;
	bool are_all_forgotten = true;

	for (int i = 0; i < slots->count; i++) {
		struct slot *slot = &slots->index[i];

		if (has_key(slot, &none))
			continue;
		if (last_use_us(slot) <= since_us && enter(slots, i, F_WRLCK)) {
			/* Another may have used it just before the lock. */
			if (last_use_us(slot) <= since_us)
				forget(slots, slot);
			CHECK(lock(slots, i, F_UNLCK));
			slots->current = NONE;
		}
		are_all_forgotten &= has_key(slot, &none);
	}
	unmap(slots);
	return are_all_forgotten;
}
