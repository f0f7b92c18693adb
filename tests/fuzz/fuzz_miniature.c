/*
 * fuzz_miniature - what is computed from pixels: two bytes of size, then RGBA.  Nothing is
 * too flat, too thin or too clear for it.
 */
#include "base/check.h"
#include "image/miniature.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The input again and again, until the picture is full. */
static void
paint(struct miniature *picture, const uint8_t *bytes, size_t size)
{
	uint8_t *samples = picture->pixels[0];
	size_t count = (size_t)picture->width * picture->height * 4;

	for (size_t i = 0; i < count; i++)
		samples[i] = size > 0 ? bytes[i % size] : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct miniature picture;
	uint8_t colours[PORTRAIT_PALETTE_MAX][3], thumbhash[THUMBHASH_BYTES_MAX];
	char blurhash[PORTRAIT_BLURHASH_MAX + 1];
	unsigned count;

	if (size < 2)
		return 0;
	picture.width = bytes[0] % MINIATURE_SIDE_MAX + 1;
	picture.height = bytes[1] % MINIATURE_SIDE_MAX + 1;
	paint(&picture, bytes + 2, size - 2);
	count = miniature_palette(&picture, colours);
	CHECK(count >= 1 && count <= PORTRAIT_PALETTE_MAX);
	miniature_blurhash(&picture, blurhash);
	CHECK(strlen(blurhash) == PORTRAIT_BLURHASH_MAX);
	count = miniature_thumbhash(&picture, thumbhash);
	CHECK(count >= 5 && count <= THUMBHASH_BYTES_MAX);
	return 0;
}
