/*
 * crc - the cyclic redundancy checks that S3 keeps of objects.
 *
 * All three are "reflected", with a register that begins and ends inverted, so
 * one function does for them, eight bytes at a time in a 64-bit register (the
 * tables of Kounavis and Berry, "A Systematic Approach to Building High
 * Performance Software-based CRC Generators", 2005).
 */
#ifndef ORIGIN_CRC_H
#define ORIGIN_CRC_H

#include <stdbool.h>
#include <stdint.h>

struct crc {
	unsigned bytes;		/* of the result: 4 or 8 */
	uint64_t polynomial;	/* its bits in reverse */
};

extern const struct crc crc32, crc32c, crc64nvme;

/* Of the whole file, from offset 0; the file position is not moved.  False when
 * reading fails (errno says why). */
bool crc_of_file(const struct crc *crc, int fd, uint64_t *value) __attribute__((warn_unused_result));

#endif
