/*
 * inside - what the files of the store know of each other.
 *
 *	store.c		open, close, probe; paths
 *	find.c		reading: find, has, remove
 *	draft.c		writing: begin, commit, discard; leftovers in tmp/
 *	note.c		small texts with an age
 *	record.c	size, checksum and media type beside a file
 *	verified.c	which files need not be read to be believed
 *	usage.c		how many bytes there are
 *	eviction.c	making room
 *	lock.c		single flight and lanes
 *	bell.c		waking those who wait
 *
 * A file lies in the hash directory ("bucket") that the first 16 bits of its
 * key name.  All paths are relative to root_fd, so the store stays where it was
 * opened; every directory but the root is made again when it is missing.
 *
 * Files are made with mode 0666 and directories with 0777, so that the umask of
 * the service decides whether the web server, which sends our files, can read
 * them: 0027 lets its group, 0022 everybody.
 */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "store/bell.h"
#include "store/record.h"
#include "store/store.h"
#include "store/usage.h"
#include "store/verified.h"

#include <sys/stat.h>
#include <sys/types.h>

enum {
	STORE_FILE_MODE = 0666,
	STORE_FOLDER_MODE = 0777,
	STORE_PATH_MAX = 64,
};

struct store {
	int root_fd;
	char *root;			/* for messages */
	uint64_t max_bytes[STORE_PART_COUNT];
	struct usage usage;
	struct store_verified *verified, *own_verified;
	struct store_bells *bells, *own_bells;
	uint64_t random_state;
	pid_t random_owner;		/* a forked child must not repeat its parent's numbers */
	unsigned drafts_begun;
};

/* Opens the root again after somebody removed the folder itself. */
void store_renew_root(struct store *store);

/* The first digits of the key (at most 16) as a number. */
uint64_t store_key_bits(const struct key *key, unsigned digits);

/* Of the bytes under this name: a file that stands under another's name is as
 * wrong as a damaged one. */
bool store_checksum(int fd, const struct key *key, uint64_t *checksum) __attribute__((warn_unused_result));

/* Opens a file that is what its record says, as store_find() does, without marking
 * it as used. */
bool store_open_sound(struct store *store, enum store_part part, const struct key *key, struct store_file *file,
    struct stat *status) __attribute__((warn_unused_result));

unsigned store_bucket_of(const struct key *key);
void store_bucket_path(enum store_part part, unsigned bucket, char path[STORE_PATH_MAX]);
void store_file_path(enum store_part part, const struct key *key, char path[STORE_PATH_MAX]);

/* Makes the folders of a bucket; what is there already stays.  False with errno. */
bool store_make_bucket(struct store *store, enum store_part part, unsigned bucket)
    __attribute__((warn_unused_result));

/* Not for secrets: names in tmp/ and samples. */
uint64_t store_random(struct store *store);

/* Removes the drafts of dead processes. */
void store_sweep_drafts(struct store *store);

#endif
