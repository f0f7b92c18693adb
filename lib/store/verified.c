#include "store/verified.h"

#include "base/digest.h"

#include <string.h>
#include <time.h>

/* One of 20 kB is read in 5 microseconds, one of 100 MB in 20 milliseconds. */
enum { LARGE_BYTES = 256 * 1024, BELIEVED_S = 10, LARGE_BELIEVED_S = 600 };

/* Time stamps move in ticks: until then another change might not show. */
enum { SETTLED_AFTER_S = 1 };

/* The lowest bits of a note. */
enum { MEDIA_BITS = 8 };
_Static_assert(MEDIA_COUNT < 1 << MEDIA_BITS, "the media type fits beside the fingerprint");

static int64_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec;
}

/* How long it is since it was changed; negative when that is to come. */
static int64_t
age_s(const struct stat *status)
{
	return now_s() - status->st_ctim.tv_sec;
}

/* When its time is over, nobody finds a note any more.  Times end at another moment for each file, so that
 * not all are read again at once.  Those of a second are no others'. */
static int64_t
period_of(const struct stat *status)
{
	int64_t believed_s = status->st_size > LARGE_BYTES ? LARGE_BELIEVED_S : BELIEVED_S;

	if (age_s(status) <= SETTLED_AFTER_S)
		return -now_s();
	return (now_s() + (int64_t)(status->st_ino % (uint64_t)believed_s)) / believed_s;
}

/* Of one file in one state at one time. */
static uint64_t
fingerprint(enum store_part part, const struct key *key, const struct stat *status)
{
	struct {
		char name[KEY_HEX];
		uint64_t part, device, inode, bytes;
		int64_t changed_s, changed_ns, period;
	} file = {
		.part = part,
		.device = status->st_dev,
		.inode = status->st_ino,
		.bytes = (uint64_t)status->st_size,
		.changed_s = status->st_ctim.tv_sec,
		.changed_ns = status->st_ctim.tv_nsec,
		.period = period_of(status),
	};

	memcpy(file.name, key->hex, sizeof(file.name));
	return checksum_of_bytes(&file, sizeof(file), 0) >> MEDIA_BITS << MEDIA_BITS;
}

static size_t
slot_of(const struct key *key)
{
	return checksum_of_bytes(key->hex, KEY_HEX, 0) % STORE_VERIFIED_SLOTS;
}

bool
verified_find(const struct store_verified *verified, enum store_part part, const struct key *key,
    const struct stat *status, enum media *media)
{
	uint64_t note = atomic_load_explicit(&verified->slots[slot_of(key)], memory_order_relaxed);

	/* Without it, an empty slot could be a fingerprint: one in 2^56. */
	if (note == 0 || note >> MEDIA_BITS << MEDIA_BITS != fingerprint(part, key, status))
		return false;
	*media = (enum media)(note & ((1 << MEDIA_BITS) - 1));
	return true;
}

void
verified_note(struct store_verified *verified, enum store_part part, const struct key *key,
    const struct stat *status, enum media media)
{
	if (age_s(status) >= 0)
		atomic_store_explicit(&verified->slots[slot_of(key)], fingerprint(part, key, status) | media,
		    memory_order_relaxed);
}
