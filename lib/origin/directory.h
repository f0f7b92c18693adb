/*
 * directory - originals in files below one directory.
 *
 * A key is a path relative to the root.  The kernel resolves it (openat2 with
 * RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS), so no "..", no absolute path and
 * no symbolic link leads out, also not while somebody renames directories.
 * Links that stay inside are followed: people deduplicate with them.  Only
 * regular files count; a FIFO or a device is no object and is never waited for.
 *
 * BUGS: a file system that hangs (NFS without its server) cannot be
 * interrupted, so there a deadline is only kept between two reads.
 *
 * The contract is that of origin.h.
 */
#ifndef ORIGIN_DIRECTORY_H
#define ORIGIN_DIRECTORY_H

#include "origin/origin.h"

#include <sys/stat.h>

struct directory;

/* Keeps a pointer to the configuration. */
struct directory *directory_open(const struct origin_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void directory_close(struct directory *directory);

/* A file that changes while it is read is FAIL_UPSTREAM. */
bool directory_fetch(struct directory *directory, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why) __attribute__((warn_unused_result));

bool directory_stat(struct directory *directory, const char *key, struct origin_object *object,
    struct failure *why) __attribute__((warn_unused_result));

/* Makes missing directories.  FAIL_BAD_REQUEST for keys that name no file
 * here: empty parts, and parts that begin with a dot (those would be hidden). */
bool directory_put(struct directory *directory, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why) __attribute__((warn_unused_result));

/* In the order of S3: by the bytes of the whole key.  Hidden files and
 * directories are left out, and linked directories, which could go in circles.
 * FAIL_UNPROCESSABLE when one directory has over DIRECTORY_ENTRIES_MAX entries,
 * because they are sorted in memory. */
enum { DIRECTORY_ENTRIES_MAX = 1000000 };
bool directory_list(struct directory *directory, const char *prefix, struct deadline deadline,
    bool (*each)(void *state, const char *key, const struct origin_object *object), void *state,
    struct failure *why) __attribute__((warn_unused_result));

bool directory_probe(struct directory *directory, struct failure *why)
    __attribute__((warn_unused_result));

/* ---- for directory_put.c and directory_list.c ----------------------------------- */

/* Close-on-exec; -1 with errno. */
int directory_open_beneath(const struct directory *directory, const char *path, int flags);
/* Returns false. */
bool directory_fail_to_open(const struct directory *directory, int error, struct failure *why);
void directory_describe(const struct stat *stat, struct origin_object *object);
/* Exactly `bytes` bytes from offset 0: a file that grows cannot keep us. */
bool directory_copy(int from, int to, uint64_t bytes, struct deadline deadline,
    struct failure *why) __attribute__((warn_unused_result));

#endif
