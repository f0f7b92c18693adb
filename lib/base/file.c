#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool
file_write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(fd, at, length);

		if (written == -1 && errno == EINTR)
			continue;
		if (written == -1)
			return false;
		at += written;
		length -= (size_t)written;
	}
	return true;
}

bool
file_copy_all(int from, int to, uint64_t *copied)
{
	static char chunk[256 * 1024];
	off_t offset = 0;
	ssize_t got;

	while ((got = pread(from, chunk, sizeof(chunk), offset)) > 0) {
		if (!file_write_all(to, chunk, (size_t)got))
			return false;
		offset += got;
	}
	*copied = (uint64_t)offset;
	return got == 0;
}

bool
file_read_small(struct arena *arena, const char *path, size_t max, char **bytes, size_t *length,
    struct failure *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *content;
	size_t have = 0;
	ssize_t got = -1;

	if (fd == -1)
		return fail(why, FAIL_INTERNAL, "cannot open %s: %s", path, strerror(errno));
	content = arena_alloc(arena, max + 2);
	while (have <= max && (got = read(fd, content + have, max + 1 - have)) > 0)
		have += (size_t)got;
	if (got == -1) {
		int error = errno;

		close(fd);
		return fail(why, FAIL_INTERNAL, "cannot read %s: %s", path, strerror(error));
	}
	close(fd);
	if (have > max)
		return fail(why, FAIL_INTERNAL, "%s is larger than %zu bytes", path, max);
	*bytes = content;
	*length = have;
	return true;
}
