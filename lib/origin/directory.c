#include "origin/directory.h"

#include "base/check.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, RENAME_RACES_MAX = 16 };

struct directory {
	const struct origin_config *config;
	int root_fd;
};

struct directory *
directory_open(const struct origin_config *config, struct failure *why)
{
	struct directory *directory;
	int fd;

	if (config->root == NULL || config->root[0] != '/') {
		fail(why, FAIL_INTERNAL, "root is no absolute path");
		return NULL;
	}
	fd = open(config->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		fail(why, FAIL_INTERNAL, "cannot open root %.200s: %s", config->root, strerror(errno));
		return NULL;
	}
	directory = calloc(1, sizeof(*directory));
	CHECK(directory != NULL);
	*directory = (struct directory){ .config = config, .root_fd = fd };
	return directory;
}

void
directory_close(struct directory *directory)
{
	if (directory == NULL)
		return;
	close(directory->root_fd);
	free(directory);
}

int
directory_open_beneath(const struct directory *directory, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	/* EAGAIN: a ".." was resolved while somebody renamed something (openat2(2)). */
	for (int i = 0; i < RENAME_RACES_MAX; i++) {
		fd = syscall(SYS_openat2, directory->root_fd, path, &how, sizeof(how));
		if (fd != -1 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

bool
directory_fail_to_open(const struct directory *directory, int error, struct failure *why)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case ELOOP:
	case EXDEV:	/* out of the root */
	case ENXIO:	/* a socket, a device without a driver */
		return fail(why, FAIL_NOT_FOUND, "origin %s has no such file", directory->config->name);
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return fail(why, FAIL_INTERNAL, "cannot open a file: %s", strerror(error));
	default:
		return fail(why, FAIL_UPSTREAM, "origin %s: cannot open a file: %s",
		    directory->config->name, strerror(error));
	}
}

void
directory_describe(const struct stat *stat, struct origin_object *object)
{
	unsigned long long modified_ns = (unsigned long long)stat->st_mtim.tv_sec * 1000000000u +
	    (unsigned long long)stat->st_mtim.tv_nsec;

	*object = (struct origin_object){
		.bytes = (uint64_t)stat->st_size, .modified = stat->st_mtim.tv_sec,
	};
	snprintf(object->etag, sizeof(object->etag), "%llx-%llx", modified_ns,
	    (unsigned long long)stat->st_size);
}

/* Opens a regular file and nothing else. */
static bool
open_file(const struct directory *directory, const char *key, int flags, int *fd, struct stat *stat,
    struct failure *why)
{
	/* Without O_NONBLOCK, opening a FIFO would wait for a writer. */
	*fd = directory_open_beneath(directory, key, flags | O_NONBLOCK | O_NOCTTY);
	if (*fd == -1)
		return directory_fail_to_open(directory, errno, why);
	if (fstat(*fd, stat) == 0 && S_ISREG(stat->st_mode))
		return true;
	close(*fd);
	return fail(why, FAIL_NOT_FOUND, "origin %s has no such file", directory->config->name);
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool
directory_copy(int from, int to, uint64_t bytes, struct deadline deadline, struct failure *why)
{
	static char chunk[CHUNK];
	uint64_t done = 0;

	while (done < bytes) {
		size_t wanted = bytes - done < CHUNK ? (size_t)(bytes - done) : CHUNK;
		ssize_t got = pread(from, chunk, wanted, (off_t)done);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return fail(why, FAIL_UPSTREAM, "cannot read the file: %s", strerror(errno));
		if (got == 0)
			return fail(why, FAIL_UPSTREAM, "file became shorter while it was read");
		if (!file_write_all(to, chunk, (size_t)got))
			return fail(why, FAIL_INTERNAL, "cannot write the file: %s", strerror(errno));
		done += (uint64_t)got;
		if (deadline_has_passed(deadline))
			return fail(why, FAIL_TIMEOUT, "copying the file took too long");
	}
	return true;
}

static bool
fetch_from(const struct directory *directory, int from, const struct stat *before, int to,
    struct deadline deadline, struct failure *why)
{
	uint64_t limit = directory->config->max_bytes;
	struct stat after;

	if ((uint64_t)before->st_size > limit)
		return fail(why, FAIL_UNPROCESSABLE, "original is larger than the limit of %llu bytes",
		    (unsigned long long)limit);
	if (ftruncate(to, 0) == -1 || lseek(to, 0, SEEK_SET) == -1)
		return fail(why, FAIL_INTERNAL, "cannot write the original: %s", strerror(errno));
	if (!directory_copy(from, to, (uint64_t)before->st_size, deadline, why))
		return false;
	if (fstat(from, &after) == -1 || !is_same_file(before, &after))
		return fail(why, FAIL_UPSTREAM, "original changed while it was read");
	return true;
}

bool
directory_fetch(struct directory *directory, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	struct stat stat;
	bool is_done;
	int from;

	if (!open_file(directory, key, O_RDONLY, &from, &stat, why))
		return false;
	is_done = fetch_from(directory, from, &stat, fd, deadline, why);
	close(from);
	directory_describe(&stat, object);
	return is_done;
}

bool
directory_stat(struct directory *directory, const char *key, struct origin_object *object,
    struct failure *why)
{
	struct stat stat;
	int fd;

	/* Opened for reading, to learn what a fetch would say. */
	if (!open_file(directory, key, O_RDONLY, &fd, &stat, why))
		return false;
	close(fd);
	directory_describe(&stat, object);
	return true;
}

bool
directory_probe(struct directory *directory, struct failure *why)
{
	int fd = directory_open_beneath(directory, ".", O_RDONLY | O_DIRECTORY);

	if (fd == -1)
		return fail(why, FAIL_UNAVAILABLE, "origin %s: cannot read the root: %s",
		    directory->config->name, strerror(errno));
	close(fd);
	return true;
}
