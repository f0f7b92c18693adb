#include "origin/crc.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, SLICES = 8 };

/* "CRC-32/ISO-HDLC", "CRC-32/ISCSI" and "CRC-64/NVME" of the CRC catalogue
 * (reveng.sourceforge.io). */
const struct crc crc32 = { 4, 0xEDB88320 };
const struct crc crc32c = { 4, 0x82F63B78 };
const struct crc crc64nvme = { 8, 0x9A6C9329AC4BC9B5 };

/* table[k][b]: what the byte b becomes after k more bytes of zeros. */
static uint64_t table[SLICES][256];
static uint64_t table_polynomial;

static void
make_table(uint64_t polynomial)
{
	if (table_polynomial == polynomial)
		return;
	for (unsigned byte = 0; byte < 256; byte++) {
		uint64_t value = byte;

		for (int bit = 0; bit < 8; bit++)
			value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
		table[0][byte] = value;
	}
	for (unsigned slice = 1; slice < SLICES; slice++)
		for (unsigned byte = 0; byte < 256; byte++) {
			uint64_t before = table[slice - 1][byte];

			table[slice][byte] = (before >> 8) ^ table[0][before & 255];
		}
	table_polynomial = polynomial;
}

static uint64_t
add_bytes(uint64_t value, const unsigned char *at, size_t length)
{
	for (; length >= SLICES; at += SLICES, length -= SLICES) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		value ^= le64toh(word);
		value = table[7][value & 255] ^ table[6][(value >> 8) & 255] ^ table[5][(value >> 16) & 255] ^
		    table[4][(value >> 24) & 255] ^ table[3][(value >> 32) & 255] ^ table[2][(value >> 40) & 255] ^
		    table[1][(value >> 48) & 255] ^ table[0][value >> 56];
	}
	for (; length > 0; at++, length--)
		value = (value >> 8) ^ table[0][(value ^ *at) & 255];
	return value;
}

bool
crc_of_file(const struct crc *crc, int fd, uint64_t *value)
{
	static unsigned char chunk[CHUNK];
	uint64_t ones = UINT64_MAX >> (64 - 8 * crc->bytes);
	off_t offset = 0;
	ssize_t got;

	make_table(crc->polynomial);
	*value = ones;
	while ((got = pread(fd, chunk, sizeof(chunk), offset)) > 0) {
		*value = add_bytes(*value, chunk, (size_t)got);
		offset += got;
	}
	*value ^= ones;
	return got == 0;
}
