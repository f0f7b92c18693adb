#include "store/lock.h"

#include "base/check.h"
#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* F_OFD_SETLKW would sleep until the lock is free but could not be given a
 * deadline without a signal, and signals are blocked.  Who wants a lock therefore tries
 * again and again; who only waits for the end of another's sleeps until its bell is rung. */
enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 10, GATE_MS = 10 };

enum { LOCK_FILE_FLAGS = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW };

static bool
disk_refuses(void)
{
	return errno == EROFS || errno == ENOSPC || errno == EDQUOT || errno == EIO;
}

/* A file in memory that has the same name for all processes of this store.  In that
 * folder anybody can make files: one that is not ours is not used. */
static int
open_lock_file_in_memory(int root_fd)
{
	struct stat root, file;
	char path[80];
	int fd;

	if (fstat(root_fd, &root) == -1)
		return -1;
	snprintf(path, sizeof(path), "/dev/shm/vitrine-lock-%jx-%jx", (uintmax_t)root.st_dev, (uintmax_t)root.st_ino);
	fd = open(path, LOCK_FILE_FLAGS, 0600);
	if (fd == -1 || (fstat(fd, &file) != -1 && file.st_uid == geteuid()))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* Not for others (0660): who may read the file could hold our locks.  To be locked for
 * writing, it must be open for writing, which a disk that is read-only forbids. */
static int
open_lock_file(int root_fd)
{
	int fd = openat(root_fd, "lock", LOCK_FILE_FLAGS, 0660);

	return fd == -1 && disk_refuses() ? open_lock_file_in_memory(root_fd) : fd;
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

/* By another description than fd. */
static bool
is_locked(int fd, off_t offset)
{
	struct flock range;

	return lock_command(fd, F_OFD_GETLK, F_WRLCK, offset, &range) != -1 && range.l_type != F_UNLCK;
}

static bool
is_taken(void)
{
	return errno == EAGAIN || errno == EACCES;
}

static int64_t
longer(int64_t pause_ms)
{
	return pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
}

/* Locks until the deadline, one attempt at least.  False with errno. */
static bool
lock_patiently(int fd, off_t offset, struct deadline deadline)
{
	int64_t pause_ms = FIRST_PAUSE_MS;

	while (!lock_try(fd, offset)) {
		if (!is_taken() || deadline_has_passed(deadline))
			return false;
		deadline_sleep_ms(deadline, pause_ms);
		pause_ms = longer(pause_ms);
	}
	return true;
}

static bool
cannot_open(struct failure *why)
{
	return fail(why, FAIL_INTERNAL, "cannot open the store's lock file: %s", strerror(errno));
}

bool
lock_wait(int root_fd, off_t offset, struct deadline deadline, struct store_lock *lock,
    struct failure *why)
{
	*lock = (struct store_lock){ .fd = open_lock_file(root_fd) };
	if (lock->fd == -1)
		return cannot_open(why);
	if (lock_patiently(lock->fd, offset, deadline))
		return true;
	if (is_taken())
		fail(why, FAIL_TIMEOUT, "another process has the lock and did not finish in time");
	else
		fail(why, FAIL_INTERNAL, "cannot lock in the store: %s", strerror(errno));
	close(lock->fd);
	lock->fd = -1;
	return false;
}

static int
open_lock(struct store *store)
{
	int fd = open_lock_file(store->root_fd);

	if (fd != -1 || errno != ENOENT)
		return fd;
	store_renew_root(store);
	return open_lock_file(store->root_fd);
}

static off_t
offset_of_key(enum store_part part, const struct key *key)
{
	return (off_t)part << 56 | (off_t)store_key_bits(key, 14);
}

static _Atomic uint32_t *
bell_of_key(struct store *store, const struct key *key)
{
	return &store->bells->rung[store_key_bits(key, 2)];
}

bool
store_try_lock(struct store *store, enum store_part part, const struct key *key, struct store_lock *lock)
{
	*lock = (struct store_lock){ .fd = open_lock(store), .bell = bell_of_key(store, key) };
	if (lock->fd == -1)
		return false;
	if (lock_try(lock->fd, offset_of_key(part, key)))
		return true;
	close(lock->fd);
	lock->fd = -1;
	return false;
}

/* Until it is free; false at the deadline.  One that can neither be had nor asked for looks free: who
 * then tries it again and again does so once in a pause. */
static bool
sleep_until_free(int fd, off_t offset, _Atomic uint32_t *bell, struct deadline deadline)
{
	uint32_t seen = bell_read(bell);
	bool has_slept = false;

	while (is_locked(fd, offset) && !deadline_has_passed(deadline)) {
		bell_sleep(bell, seen, deadline);
		seen = bell_read(bell);
		has_slept = true;
	}
	if (!has_slept)
		deadline_sleep_ms(deadline, FIRST_PAUSE_MS);
	return !deadline_has_passed(deadline);
}

bool
store_await(struct store *store, enum store_part part, const struct key *key, struct deadline deadline,
    struct failure *why)
{
	off_t offset = offset_of_key(part, key);
	int fd = open_lock(store);
	struct flock range;
	bool is_free;

	if (fd == -1)
		return cannot_open(why);
	/* Who holds the lock may look whether anybody would mind if it gave up. */
	(void)lock_command(fd, F_OFD_SETLK, F_RDLCK, offset | LOCK_AWAITED, &range);
	is_free = sleep_until_free(fd, offset, bell_of_key(store, key), deadline);
	close(fd);
	return is_free || fail(why, FAIL_TIMEOUT, "another process makes this file and did not finish in time");
}

bool
store_is_awaited(struct store *store, enum store_part part, const struct key *key)
{
	int fd = open_lock(store);
	bool is_awaited = fd != -1 && is_locked(fd, offset_of_key(part, key) | LOCK_AWAITED);

	if (fd != -1)
		close(fd);
	return is_awaited;
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
	if (lock->bell != NULL)
		bell_ring(lock->bell);
}

static off_t
offset_of_place(unsigned lane, unsigned place)
{
	CHECK(lane < LANES_MAX && place < LANE_PLACES_MAX);
	return LOCK_LANES + (off_t)lane * LANE_PLACES_MAX + place;
}

/* One who takes several at a time, behind the lane's last place: two who each take
 * a part of what is left would refuse each other. */
static bool
enter_gate(int fd, unsigned lane, unsigned places)
{
	return lock_patiently(fd, offset_of_place(lane, places), deadline_in_ms(GATE_MS));
}

static void
leave_gate(int fd, unsigned lane, unsigned places)
{
	struct flock range;

	(void)lock_command(fd, F_OFD_SETLK, F_UNLCK, offset_of_place(lane, places), &range);
}

static unsigned
count_taken(int fd, unsigned lane, unsigned places)
{
	unsigned taken = 0;

	for (unsigned place = 0; place < places; place++)
		if (is_locked(fd, offset_of_place(lane, place)))
			taken++;
	return taken;
}

/* From `first` on: those who come together should not all try the same ones. */
static bool
take_places(int fd, unsigned lane, unsigned places, unsigned first, unsigned wanted)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < places && taken < wanted; i++)
		if (lock_try(fd, offset_of_place(lane, (first + i) % places)))
			taken++;
	return taken == wanted;
}

/* Who would not get enough takes none, also not for a moment. */
static bool
take_several(int fd, unsigned lane, unsigned places, unsigned first, unsigned wanted)
{
	bool has_them;

	if (!enter_gate(fd, lane, places))
		return false;
	has_them = places - count_taken(fd, lane, places) >= wanted && take_places(fd, lane, places, first, wanted);
	leave_gate(fd, lane, places);
	return has_them;
}

bool
store_take_places(struct store *store, unsigned lane, unsigned places, unsigned wanted, struct store_lock *lock)
{
	unsigned first = places == 0 ? 0 : (unsigned)(store_random(store) % places);

	*lock = (struct store_lock){ .fd = open_lock(store) };
	if (lock->fd == -1)
		return false;
	if (wanted == 1 ? take_places(lock->fd, lane, places, first, 1) :
	    take_several(lock->fd, lane, places, first, wanted))
		return true;
	store_unlock(lock);
	return false;
}

bool
store_take_place(struct store *store, unsigned lane, unsigned places, struct store_lock *lock)
{
	return store_take_places(store, lane, places, 1, lock);
}

unsigned
store_places_taken(struct store *store, unsigned lane, unsigned places)
{
	int fd = open_lock(store);
	unsigned taken;

	if (fd == -1)
		return 0;
	taken = count_taken(fd, lane, places);
	close(fd);
	return taken;
}
