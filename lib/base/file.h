/*
 * file - whole reads and writes, which read(2) and write(2) do not promise.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes all bytes; false with errno when the file takes no more. */
bool file_write_all(int fd, const void *bytes, size_t length) __attribute__((warn_unused_result));

/* Copies the whole of one regular file, from offset 0, to another descriptor. */
bool file_copy_all(int from, int to, uint64_t *copied) __attribute__((warn_unused_result));

/* Reads a small file (a secret, a token, a migration) of at most max bytes
 * into the arena, NUL-terminated.  What is larger fails: FAIL_INTERNAL, with
 * the path in the detail, never the content. */
bool file_read_small(struct arena *arena, const char *path, size_t max, char **bytes,
    size_t *length, struct failure *why) __attribute__((warn_unused_result));

#endif
