/*
 * usage - how many bytes each part holds: ROOT/usage, shared by all processes.
 *
 * The file is mapped into every process that uses the store.  For each part it
 * has one number per hash directory ("bucket", 65536 of them) and their sum,
 * changed with atomic additions, so no lock is taken and a process that dies
 * leaves at most its own last addition behind.
 *
 * It is a belief, not the truth.  It is kept honest by looking: who lists a
 * hash directory, for whatever reason, writes down what is really in it
 * (usage_correct).  The evictor lists directories anyway; besides, commits look at
 * some more, in turn (usage_next_to_count).  Once each directory has
 * been looked at and the sum has been made anew, whatever was wrong before is
 * forgotten.  Until then it may be wrong by one file for each process that was
 * killed in mid-commit, or whose rename fell into the end of a look, and by what
 * is being committed while the sum is made.
 *
 * A file that is missing, of another size or version, or that claims more than
 * the disk can hold, is made anew with zeros, without walking the tree.
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { USAGE_BUCKETS = 65536 };		/* of a part: two levels of 256 */

struct usage_page;

struct usage {
	int fd;
	struct usage_page *page;
};

/* When the disk refuses the file, the process counts for itself until it can be made. */
void usage_open(struct usage *usage, int root_fd);
void usage_close(struct usage *usage);

/* Opens the file anew when somebody removed or cut it; touching a page behind
 * its end would be SIGBUS.  Call it before the functions below. */
void usage_refresh(struct usage *usage, int root_fd);

uint64_t usage_bytes(const struct usage *usage, enum store_part part);

/* A writer counts its bytes before it evicts others' (so that writers at the
 * same time do not all believe there is room), and settles them in a bucket
 * just before the file is in place: when it is killed in between, the belief is
 * too large and not too small, and too large is what eviction looks after.
 * The result is the bucket's state then. */
void usage_reserve(struct usage *usage, enum store_part part, uint64_t bytes);
uint64_t usage_settle(struct usage *usage, enum store_part part, unsigned bucket, uint64_t bytes);

/* Before a file is removed; and added again when it was not. */
void usage_remove(struct usage *usage, enum store_part part, unsigned bucket, uint64_t bytes);
void usage_add(struct usage *usage, enum store_part part, unsigned bucket, uint64_t bytes);

/* Looking: ask for the state before, correct it afterwards with the bytes that
 * were found.  Nothing happens when somebody changed the bucket meanwhile. */
uint64_t usage_state(const struct usage *usage, enum store_part part, unsigned bucket);
void usage_correct(struct usage *usage, enum store_part part, unsigned bucket, uint64_t state,
    int64_t found);

/* The first bucket from *bucket on, around the end, that is believed to hold
 * files.  False when there is none. */
bool usage_next_filled(const struct usage *usage, enum store_part part, unsigned *bucket);

/* The bucket whose turn it is to be looked at. */
unsigned usage_next_to_count(struct usage *usage, enum store_part part);

/* Whether each bucket has had its turn since the file was made. */
bool usage_is_counted(const struct usage *usage, enum store_part part);

#endif
