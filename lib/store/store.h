/*
 * store - this server's disk: originals and variants, complete or absent.
 *
 *	ROOT/originals/ab/cd/abcd...	the bytes as the origin has them
 *	ROOT/variants/ab/cd/abcd...	exactly the bytes of the response
 *	ROOT/notes/ab/cd/abcd...		small texts: see store_read_note()
 *	ROOT/tmp/			being written
 *	ROOT/lock			byte-range locks: single flight, lanes
 *	ROOT/usage			how many bytes each part holds, roughly
 *
 * A file appears by rename, complete, with size, checksum and media type in an
 * extended attribute (user.vitrine); what does not match it on opening is
 * removed and counts as absent.  There is no index: everything can be deleted
 * at any time, by anybody, and nothing is lost that only existed here.
 *
 * Bounded in bytes: who commits new bytes evicts old ones first, choosing the
 * least recently used of a random sample of hash directories, so the cost does
 * not grow with the number of files.  Use is remembered in the file's mtime,
 * written at most once in ten minutes.
 *
 * Several processes use one store at once; all locks are released by the
 * kernel when their holder dies.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/failure.h"
#include "http/media.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct store_config {
	const char *root;		/* absolute path, on a file system with user.* attributes */
	uint64_t max_original_bytes;	/* total of originals/ */
	uint64_t max_variant_bytes;	/* total of variants/ */
	uint64_t max_note_bytes;	/* total of notes/, as they are long; blocks take more */
};

enum store_part { STORE_ORIGINALS, STORE_VARIANTS, STORE_NOTES, STORE_PART_COUNT };

const char *store_part_name(enum store_part part);

struct store;

/* Makes the folders, removes what is left in tmp/ from dead processes, and
 * tries the file system out.  FAIL_INTERNAL says what is wrong with it. */
struct store *store_open(const struct store_config *config, struct failure *why)
    __attribute__((warn_unused_result));

/* The same without trying: for processes that are started later, when the disk may be
 * full or read-only, and what it holds is still good. */
struct store *store_open_untried(const struct store_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void store_close(struct store *store);

/* From now on, what was verified is noted there (verified.h), in zeros that processes may share
 * and that outlive the store, instead of in memory of its own. */
struct store_verified;
void store_share_verified(struct store *store, struct store_verified *verified);

/* From now on, who waits in store_await() is woken by all who share these (bell.h): for zeros in
 * memory that outlives the store.  Nobody is woken by others of another memory, and looks. */
struct store_bells;
void store_share_bells(struct store *store, struct store_bells *bells);

/* A file that is being read.  It stays readable when it is evicted meanwhile. */
struct store_file {
	int fd;
	uint64_t bytes;
	uint64_t checksum;
	enum media media;
	char path[64];			/* relative to the root: "variants/ab/cd/abcd..."; or "": see below */
};

/* Opens a file and marks it as used.  False when it is absent, or was
 * damaged and has been removed; there is no third case.  The caller closes fd. */
bool store_find(struct store *store, enum store_part part, const struct key *key,
    struct store_file *file) __attribute__((warn_unused_result));

/* The same for who needs no descriptor, because somebody else reads the file: fd is -1, and
 * the checksum is not known.  False also when it was not verified a moment ago: then
 * store_find() decides. */
bool store_find_unopened(struct store *store, enum store_part part, const struct key *key,
    struct store_file *file) __attribute__((warn_unused_result));

/* Whether the file that was found is still the same, byte for byte: for who has made
 * something of it that will be kept.  One that is not is removed. */
bool store_is_unchanged(struct store *store, enum store_part part, const struct key *key,
    const struct store_file *file) __attribute__((warn_unused_result));

/* Without opening or marking it. */
bool store_has(struct store *store, enum store_part part, const struct key *key);

/* A file that is being written, in tmp/, open for reading and writing. */
struct store_draft {
	int fd;
	char path[64];			/* relative to the root: "tmp/..."; "": in memory */
};

/* FAIL_INTERNAL when the disk refuses: full, read-only, out of descriptors. */
bool store_begin(struct store *store, struct store_draft *draft, struct failure *why)
    __attribute__((warn_unused_result));

/*
 * Where the disk takes nothing, a draft can be in memory, as long as its descriptors
 * are open: for an answer that nobody keeps.  Who uses it bounds how many there are.
 */
bool store_begin_in_memory(struct store_draft *draft, struct failure *why) __attribute__((warn_unused_result));
bool store_draft_is_in_memory(const struct store_draft *draft);

/* Computes size and checksum, makes room, and renames the draft to its name;
 * what was there before is replaced.  On success *file is the open file, as
 * from store_find(); its path is "" when the disk refused it a name, or the draft is
 * in memory: then it lasts as long as it is open.  On failure the draft is discarded.
 * FAIL_INTERNAL. */
bool store_commit(struct store *store, struct store_draft *draft, enum store_part part,
    const struct key *key, enum media media, struct store_file *file, struct failure *why)
    __attribute__((warn_unused_result));

void store_discard(struct store *store, struct store_draft *draft);

/* Removes a file, if it is there. */
void store_remove(struct store *store, enum store_part part, const struct key *key);

/*
 * A note is a small text that is worth keeping although it can be had again, like
 * what a row said when somebody last asked.  It is as old as it was last written
 * or confirmed; the least recently confirmed are evicted.  Writing promises nothing:
 * where the disk refuses, there is no note.
 */
enum { STORE_NOTE_MAX = 16 * 1024 };

/* The text lives in the arena and ends in NUL.  The age is never negative: what
 * comes from the future, by a clock that was set back, is as old as can be. */
bool store_read_note(struct store *store, const struct key *key, struct arena *arena, struct span *text,
    int64_t *age_ms) __attribute__((warn_unused_result));
void store_write_note(struct store *store, const struct key *key, struct span text);
void store_confirm_note(struct store *store, const struct key *key);

/* Bytes and limit, for /metrics; approximate after a crash, healed by use. */
void store_usage(struct store *store, enum store_part part, uint64_t *bytes, uint64_t *limit);

/* Whether a file can be locked, written and read back now: for /health. */
bool store_probe(struct store *store, struct failure *why) __attribute__((warn_unused_result));

/*
 * Single flight on this host: who gets the lock of a key makes the file; the others
 * wait until nobody has it, look for the file, and try again when it is not there:
 *
 *	while (!store_try_lock(...))
 *		if (!store_await(...) || store_find(...))
 *			return;
 *
 * The lock is an open-file-description lock on one byte of ROOT/lock, so it ends with
 * its descriptor, however the process ends.
 */
struct store_lock {
	int fd;
	_Atomic uint32_t *bell;		/* rung for those who wait for its end; NULL: nobody does */
};

/* Without waiting: false when somebody has it, or when nothing can be locked. */
bool store_try_lock(struct store *store, enum store_part part, const struct key *key, struct store_lock *lock)
    __attribute__((warn_unused_result));

/* Until nobody has the lock.  All who wait are let go together.  FAIL_TIMEOUT when the deadline
 * has passed then. */
bool store_await(struct store *store, enum store_part part, const struct key *key, struct deadline deadline,
    struct failure *why) __attribute__((warn_unused_result));

/* Whether somebody waits in store_await() for this key: asked by who holds it. */
bool store_is_awaited(struct store *store, enum store_part part, const struct key *key);

void store_unlock(struct store_lock *lock);

/*
 * One of `places` in a named lane, for instance the slow path: false at once
 * when all are taken.  Works like the lock of a key.
 */
bool store_take_place(struct store *store, unsigned lane, unsigned places, struct store_lock *lock)
    __attribute__((warn_unused_result));

/* Several places of a lane at once, or none: for what counts in amounts. */
bool store_take_places(struct store *store, unsigned lane, unsigned places, unsigned wanted,
    struct store_lock *lock) __attribute__((warn_unused_result));

/* How many of the lane's places are taken now, for /metrics. */
unsigned store_places_taken(struct store *store, unsigned lane, unsigned places);

#endif
