/*
 * verified - which files were what their records say, a moment ago.
 *
 * To compare a file with its checksum is to read all of it.  Who has done so notes it here for
 * all processes that share the table, and for a while the file is taken to be the same, as long
 * as its ctime is: any write, any new name and any new record moves that.  What goes unseen is a
 * disk that gives other bytes although nobody wrote: for ten seconds, or for ten minutes when
 * the file is large; and then only bytes that the page cache did not hold meanwhile.
 *
 * A ctime moves in ticks of some milliseconds, so a second change may not show.  What was changed in
 * this second or the last is therefore believed until the second is over, and no longer: two hundred
 * who have waited for a new picture need not read it two hundred times.
 *
 * A note is one atomic number, so a process may die at any instant.  All zeros is empty.
 */
#ifndef STORE_VERIFIED_H
#define STORE_VERIFIED_H

#include "store/store.h"

#include <stdatomic.h>
#include <sys/stat.h>

enum { STORE_VERIFIED_SLOTS = 4096 };

struct store_verified {
	_Atomic uint64_t slots[STORE_VERIFIED_SLOTS];
};

/* Whether the file that has this status was noted under this name; its media type then. */
bool verified_find(const struct store_verified *verified, enum store_part part, const struct key *key,
    const struct stat *status, enum media *media) __attribute__((warn_unused_result));

/* It has just been read.  Not noted when its ctime is in the future. */
void verified_note(struct store_verified *verified, enum store_part part, const struct key *key,
    const struct stat *status, enum media media);

#endif
