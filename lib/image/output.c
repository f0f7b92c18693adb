#include "image/pipeline.h"

#include <errno.h>
#include <unistd.h>

bool
output_write(struct output *output, const void *bytes, size_t length)
{
	const char *at = bytes;

	if (length > output->max_bytes - output->bytes) {
		output->is_too_large = true;
		return false;
	}
	while (length > 0) {
		/* Not write(): the position of a descriptor is shared with whoever sent it. */
		ssize_t written = pwrite(output->fd, at, length, (off_t)output->bytes);

		if (written == -1 && errno == EINTR)
			continue;
		if (written == -1) {
			output->error = errno;
			return false;
		}
		at += written;
		length -= (size_t)written;
		output->bytes += (uint64_t)written;
	}
	return true;
}
