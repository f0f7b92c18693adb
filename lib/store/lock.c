#include "store/lock.h"

#include "base/check.h"
#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* F_OFD_SETLKW would sleep until the lock is free but could not be given a
 * deadline without a signal, and signals are blocked.  A waiter therefore looks
 * again and again; what it waits for takes tens of milliseconds at least. */
enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 10 };

/* Not for others (0660): who may read the file could hold our locks. */
static int
open_lock_file(int root_fd)
{
	return openat(root_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
}

static int
lock_command(int fd, int command, short type, off_t offset, struct flock *range)
{
	*range = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1 };
	return fcntl(fd, command, range);
}

/* False with errno; EAGAIN when somebody else has it. */
static bool
lock_try(int fd, off_t offset)
{
	struct flock range;

	return lock_command(fd, F_OFD_SETLK, F_WRLCK, offset, &range) != -1;
}

static bool
is_taken(void)
{
	return errno == EAGAIN || errno == EACCES;
}

bool
lock_wait(int root_fd, off_t offset, struct deadline deadline, struct store_lock *lock,
    struct failure *why)
{
	int64_t pause_ms = FIRST_PAUSE_MS;
	bool is_locked;

	lock->fd = open_lock_file(root_fd);
	if (lock->fd == -1)
		return fail(why, FAIL_INTERNAL, "cannot open the store's lock file: %s", strerror(errno));
	while (!(is_locked = lock_try(lock->fd, offset)) && is_taken() &&
	    !deadline_has_passed(deadline)) {
		deadline_sleep_ms(deadline, pause_ms);
		pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
	}
	if (is_locked)
		return true;
	if (is_taken())
		fail(why, FAIL_TIMEOUT, "another process makes this file and did not finish in time");
	else
		fail(why, FAIL_INTERNAL, "cannot lock in the store: %s", strerror(errno));
	close(lock->fd);
	lock->fd = -1;
	return false;
}

static off_t
offset_of_key(enum store_part part, const struct key *key)
{
	return (off_t)part << 56 | (off_t)store_key_bits(key, 14);
}

bool
store_lock(struct store *store, enum store_part part, const struct key *key, struct deadline deadline,
    struct store_lock *lock, struct failure *why)
{
	return lock_wait(store->root_fd, offset_of_key(part, key), deadline, lock, why);
}

void
store_unlock(struct store_lock *lock)
{
	struct flock range;

	if (lock->fd == -1)
		return;
	/* Closing is not enough when a child has been forked meanwhile: it has
	 * a copy of the descriptor.  This description holds no other lock. */
	range = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET };
	fcntl(lock->fd, F_OFD_SETLK, &range);
	close(lock->fd);
	lock->fd = -1;
}

static off_t
offset_of_place(unsigned lane, unsigned place)
{
	CHECK(lane < LANES_MAX && place < LANE_PLACES_MAX);
	return LOCK_LANES + (off_t)lane * LANE_PLACES_MAX + place;
}

bool
store_take_place(struct store *store, unsigned lane, unsigned places, struct store_lock *lock)
{
	lock->fd = open_lock_file(store->root_fd);
	if (lock->fd == -1)
		return false;
	for (unsigned place = 0; place < places; place++)
		if (lock_try(lock->fd, offset_of_place(lane, place)))
			return true;
	close(lock->fd);
	lock->fd = -1;
	return false;
}

unsigned
store_places_taken(struct store *store, unsigned lane, unsigned places)
{
	int fd = open_lock_file(store->root_fd);
	unsigned taken = 0;

	if (fd == -1)
		return 0;
	for (unsigned place = 0; place < places; place++) {
		struct flock range;

		if (lock_command(fd, F_OFD_GETLK, F_WRLCK, offset_of_place(lane, place), &range) != -1 &&
		    range.l_type != F_UNLCK)
			taken++;
	}
	close(fd);
	return taken;
}
