/* The part of directory.h that walks through the tree. */
#include "base/check.h"
#include "origin/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A walk in the order of whole keys.  A directory sorts as its name with a "/":
 * "a-b" before all of "a/", and that before "a0". */
struct walk {
	const struct directory *directory;
	struct span prefix;
	struct deadline deadline;
	bool (*each)(void *state, const char *key, const struct origin_object *object);
	void *state;
	bool goes_on;
	char key[ASSET_KEY_MAX + 2];	/* of the entry being looked at; ends in "/" for directories */
};

struct names {
	char **at;
	size_t count, capacity;
};

static void
names_add(struct names *names, char *name)
{
	if (names->count == names->capacity) {
		names->capacity = names->capacity == 0 ? 64 : 2 * names->capacity;
		names->at = reallocarray(names->at, names->capacity, sizeof(*names->at));
		CHECK(names->at != NULL);
	}
	names->at[names->count++] = name;
}

static void
names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->at[i]);
	free(names->at);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_directory(int fd, const struct dirent *entry)
{
	struct stat stat;

	if (entry->d_type != DT_UNKNOWN)	/* some file systems do not tell */
		return entry->d_type == DT_DIR;
	return fstatat(fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(stat.st_mode);
}

/* Also leaves out "." and "..". */
static bool
name_can_be_listed(const char *name)
{
	return name[0] != '.' && span_is_utf8(span_of(name));
}

static bool
read_names(const struct walk *walk, DIR *stream, struct names *names, struct failure *why)
{
	struct dirent *entry;

	while (errno = 0, (entry = readdir(stream)) != NULL) {
		char *name;

		if (!name_can_be_listed(entry->d_name))
			continue;
		if (names->count == DIRECTORY_ENTRIES_MAX)
			return fail(why, FAIL_UNPROCESSABLE, "a directory has over %d entries",
			    DIRECTORY_ENTRIES_MAX);
		if (deadline_has_passed(walk->deadline))
			return fail(why, FAIL_TIMEOUT, "listing took too long");
		CHECK(asprintf(&name, "%s%s", entry->d_name,
			is_directory(dirfd(stream), entry) ? "/" : "") != -1);
		names_add(names, name);
	}
	if (errno != 0)
		return fail(why, FAIL_UPSTREAM, "cannot read a directory: %s", strerror(errno));
	return true;
}

/* An entry that is gone, or that may not be opened, is left out; who asks for
 * it hears why. */
static bool
list_file(struct walk *walk)
{
	struct origin_object object;
	struct stat stat;
	int fd = directory_open_beneath(walk->directory, walk->key, O_PATH);

	if (fd == -1)
		return true;
	bool is_file = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
	close(fd);
	if (!is_file)
		return true;
	directory_describe(&stat, &object);
	walk->goes_on = walk->each(walk->state, walk->key, &object);
	return true;
}

/* Whether the key, or for a directory something in it, can begin with the prefix. */
static bool
is_wanted(const struct walk *walk, size_t length)
{
	size_t common = length < walk->prefix.length ? length : walk->prefix.length;
	bool is_below = walk->key[length - 1] == '/';

	return memcmp(walk->key, walk->prefix.at, common) == 0 &&
	    (is_below || length >= walk->prefix.length);
}

static bool list_directory(struct walk *walk, size_t length, struct failure *why);

static bool
list_name(struct walk *walk, size_t length, const char *name, struct failure *why)
{
	size_t added = strlen(name);

	if (length + added > ASSET_KEY_MAX)
		return true;
	memcpy(walk->key + length, name, added + 1);
	if (!is_wanted(walk, length + added))
		return true;
	if (name[added - 1] == '/')
		return list_directory(walk, length + added, why);
	return list_file(walk);
}

/* The first `length` bytes of walk->key name the directory.  Its descriptor is
 * closed before going deeper, so depth costs none. */
static bool
list_directory(struct walk *walk, size_t length, struct failure *why)
{
	struct names names = { 0 };
	int fd = directory_open_beneath(walk->directory, length == 0 ? "." : walk->key,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *stream;
	bool is_good;

	if (fd == -1)
		return length > 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		    ? true : directory_fail_to_open(walk->directory, errno, why);
	stream = fdopendir(fd);
	CHECK(stream != NULL);
	is_good = read_names(walk, stream, &names, why);
	closedir(stream);
	if (names.count > 0)	/* qsort() takes no NULL, not even of no length */
		qsort(names.at, names.count, sizeof(*names.at), compare_names);
	for (size_t i = 0; is_good && walk->goes_on && i < names.count; i++) {
		if (deadline_has_passed(walk->deadline))
			is_good = fail(why, FAIL_TIMEOUT, "listing took too long");
		else
			is_good = list_name(walk, length, names.at[i], why);
	}
	names_release(&names);
	return is_good;
}

bool
directory_list(struct directory *directory, const char *prefix, struct deadline deadline,
    bool (*each)(void *state, const char *key, const struct origin_object *object), void *state,
    struct failure *why)
{
	struct walk walk = {
		.directory = directory, .prefix = span_of(prefix), .deadline = deadline,
		.each = each, .state = state, .goes_on = true,
	};

	return list_directory(&walk, 0, why);
}
