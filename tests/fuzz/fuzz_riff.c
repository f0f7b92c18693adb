/*
 * fuzz_riff - WebP files of which the EXIF chunk is taken.  What is left has none: a
 * second time changes nothing.
 */
#include "base/check.h"
#include "image/riff.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char *file = malloc(size + 1), *again = malloc(size + 1);
	size_t length;

	CHECK(file != NULL && again != NULL);
	memcpy(file, bytes, size);
	length = riff_remove_exif(file, size);
	CHECK(length <= size);
	memcpy(again, file, length);
	CHECK(riff_remove_exif(again, length) == length && memcmp(again, file, length) == 0);
	free(file);
	free(again);
	return 0;
}
