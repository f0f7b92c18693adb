#include "image/riff.h"

#include <string.h>

enum {
	RIFF_HEADER = 12,	/* "RIFF", size, "WEBP" */
	CHUNK_HEADER = 8,	/* name, size */
	VP8X_HAS_EXIF = 0x08	/* in the first byte of VP8X's content */
};

static uint32_t
read_u32(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void
write_u32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

/* With its header and the byte that pads it to an even length. */
static size_t
chunk_bytes(const unsigned char *chunk, size_t left)
{
	size_t bytes = CHUNK_HEADER + (size_t)read_u32(chunk + 4);

	bytes += bytes & 1;
	return bytes < left ? bytes : left;
}

size_t
riff_remove_exif(unsigned char *file, size_t length)
{
	size_t at = RIFF_HEADER;

	if (length < RIFF_HEADER || memcmp(file, "RIFF", 4) != 0)
		return length;
	while (length - at >= CHUNK_HEADER) {
		unsigned char *chunk = file + at;
		size_t bytes = chunk_bytes(chunk, length - at);

		if (memcmp(chunk, "EXIF", 4) == 0) {
			memmove(chunk, chunk + bytes, length - at - bytes);
			length -= bytes;
			continue;
		}
		if (memcmp(chunk, "VP8X", 4) == 0 && bytes > CHUNK_HEADER)
			chunk[CHUNK_HEADER] &= (unsigned char)~VP8X_HAS_EXIF;
		at += bytes;
	}
	write_u32(file + 4, (uint32_t)(length - 8));
	return length;
}
