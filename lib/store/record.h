/*
 * record - what is written beside a file's bytes: one short line of text.
 *
 *	1 20480 0123456789abcdef webp
 *
 * version, size in bytes, XXH3 of the bytes, media extension ("none" when it
 * is unknown).  It lives in the extended attribute user.vitrine and is set
 * before the file gets its name, so a file without a record, or with another
 * size or checksum, is not ours to serve.  At this length it fits into the
 * inode of ext4 (256 bytes) and XFS: reading it costs no disk access.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/text.h"
#include "http/media.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_MAX = 64 };

struct record {
	uint64_t bytes;
	uint64_t checksum;
	enum media media;
};

/* Returns the length; text has room for RECORD_MAX bytes and ends in NUL. */
size_t record_print(const struct record *record, char text[RECORD_MAX]);

/* Strict: single spaces, 16 lower-case hex digits, nothing behind. */
bool record_parse(struct span text, struct record *record) __attribute__((warn_unused_result));

/* From and to the attribute of an open file.  False with errno when the file
 * system refuses; record_get() also when what is there is no record (EINVAL). */
bool record_get(int fd, struct record *record) __attribute__((warn_unused_result));
bool record_put(int fd, const struct record *record) __attribute__((warn_unused_result));

#endif
