/* The part of directory.h that writes: a hidden file first, renamed when it is complete. */
#include "base/check.h"
#include "base/digest.h"
#include "origin/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Hidden, so that a listing leaves out what a crash has left behind. */
#define TEMPORARY_PREFIX ".vitrine-"
enum { RANDOM_BYTES = 8 };

struct draft {
	int parent, fd;
	char name[sizeof(TEMPORARY_PREFIX) + 2 * RANDOM_BYTES];
};

/* A path of plain names: none empty, none hidden, so neither "." nor "..". */
static bool
key_is_plain(const char *key)
{
	struct span rest = span_of(key);

	if (rest.length > ASSET_KEY_MAX)
		return false;
	while (rest.at != NULL) {
		struct span name = span_cut(&rest, '/');

		if (name.length == 0 || name.at[0] == '.')
			return false;
	}
	return true;
}

/* The directory that is to hold the file, open; missing ones are made.  Each
 * level is resolved anew from the root by openat2, because mkdirat() and
 * openat() would follow a link that leads out.  -1 with errno. */
static int
open_parent(const struct directory *directory, const char *key)
{
	int parent = directory_open_beneath(directory, ".", O_RDONLY | O_DIRECTORY);
	const char *name = key;

	for (const char *slash = strchr(key, '/'); slash != NULL && parent != -1;
	    name = slash + 1, slash = strchr(name, '/')) {
		char path[ASSET_KEY_MAX + 1] = "";
		int next = -1;

		memcpy(path, key, (size_t)(slash - key));
		if (mkdirat(parent, path + (name - key), 0777) == 0 || errno == EEXIST)
			next = directory_open_beneath(directory, path, O_RDONLY | O_DIRECTORY);
		int error = errno;
		close(parent);
		errno = error;
		parent = next;
	}
	return parent;
}

static bool
draft_begin(struct draft *draft, const struct directory *directory, const char *key,
    struct failure *why)
{
	unsigned char random[RANDOM_BYTES];
	char hex[2 * RANDOM_BYTES + 1];

	CHECK(getrandom(random, sizeof(random), 0) == sizeof(random));
	hex_print(random, sizeof(random), hex);
	snprintf(draft->name, sizeof(draft->name), TEMPORARY_PREFIX "%s", hex);
	draft->parent = open_parent(directory, key);
	if (draft->parent == -1)
		return fail(why, FAIL_UPSTREAM, "cannot make the directory of the file: %s",
		    strerror(errno));
	draft->fd = openat(draft->parent, draft->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (draft->fd != -1)
		return true;
	fail(why, FAIL_UPSTREAM, "cannot make the file: %s", strerror(errno));
	close(draft->parent);
	return false;
}

/* On the disk before it has its name, and its name before anybody hears of it. */
static bool
draft_publish(struct draft *draft, const char *key, struct stat *stat, struct failure *why)
{
	const char *slash = strrchr(key, '/');
	const char *name = slash != NULL ? slash + 1 : key;

	if (fsync(draft->fd) == -1 || fstat(draft->fd, stat) == -1)
		return fail(why, FAIL_UPSTREAM, "cannot write the file: %s", strerror(errno));
	if (renameat(draft->parent, draft->name, draft->parent, name) == -1)
		return fail(why, FAIL_UPSTREAM, "cannot name the file: %s", strerror(errno));
	draft->name[0] = '\0';
	if (fsync(draft->parent) == -1)
		return fail(why, FAIL_UPSTREAM, "cannot write the directory: %s", strerror(errno));
	return true;
}

static void
draft_release(struct draft *draft)
{
	if (draft->name[0] != '\0')
		unlinkat(draft->parent, draft->name, 0);
	close(draft->fd);
	close(draft->parent);
}

bool
directory_put(struct directory *directory, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	struct stat stat;
	struct draft draft;
	bool is_done;

	if (!key_is_plain(key))
		return fail(why, FAIL_BAD_REQUEST, "key names no file of a directory");
	if (fstat(fd, &stat) == -1 || !S_ISREG(stat.st_mode))
		return fail(why, FAIL_INTERNAL, "what is to be stored is no file");
	if (!draft_begin(&draft, directory, key, why))
		return false;
	is_done = directory_copy(fd, draft.fd, (uint64_t)stat.st_size, deadline, why) &&
	    draft_publish(&draft, key, &stat, why);
	draft_release(&draft);
	if (is_done)
		directory_describe(&stat, object);
	return is_done;
}
