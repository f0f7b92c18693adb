/*
 * fuzz_bomb - files that are read through before a decoder gets them.  It ends, soon,
 * and says no only by naming a limit.
 */
#include "base/check.h"
#include "base/file.h"
#include "image/pipeline.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const enum media formats[] = { MEDIA_PNG, MEDIA_SVG, MEDIA_JPEG };
	int file = memfd_create("bomb", MFD_CLOEXEC);

	CHECK(file != -1 && file_write_all(file, bytes, size));
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct failure why = { 0 };

		if (!file_is_no_bomb(file, formats[i], &why))
			CHECK(why.kind == FAIL_UNPROCESSABLE && strstr(why.detail, "limit") != NULL);
	}
	close(file);
	return 0;
}
