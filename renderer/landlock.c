#include "renderer/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What Pango and fontconfig open while they draw: fonts, their configuration,
 * its cache, and the dictionary that finds words in Thai.  Folders that a
 * machine does not have are passed over. */
static const char *const readable[] = {
	"/usr/share/fonts",
	"/usr/local/share/fonts",
	"/etc/fonts",
	"/usr/share/fontconfig",
	"/var/cache/fontconfig",
	"/usr/share/libthai",
};

/* struct landlock_ruleset_attr as of version 6; the header at hand may be older.
 * A kernel takes as much of it as it knows. */
struct ruleset {
	uint64_t files, net, scoped;
};

enum {
	FILE_RIGHTS_1 = 13,	/* version 1: execute, write, read, list, remove, make of each kind */
	FILE_RIGHTS_2 = 14,	/* link and rename between folders */
	FILE_RIGHTS_3 = 15,	/* truncate */
	FILE_RIGHTS_5 = 16	/* ioctl of devices */
};

#define NET_BIND_AND_CONNECT_TCP ((uint64_t)3)			/* version 4 */
#define SCOPED_ABSTRACT_SOCKETS_AND_SIGNALS ((uint64_t)3)	/* version 6 */

static uint64_t
file_rights(unsigned abi)
{
	unsigned count = abi >= 5 ? FILE_RIGHTS_5 : abi >= 3 ? FILE_RIGHTS_3 : abi == 2 ? FILE_RIGHTS_2 : FILE_RIGHTS_1;

	return ((uint64_t)1 << count) - 1;
}

/* The ruleset's descriptor, or -1. */
static int
open_ruleset(unsigned abi)
{
	struct ruleset everything = { file_rights(abi), NET_BIND_AND_CONNECT_TCP, SCOPED_ABSTRACT_SOCKETS_AND_SIGNALS };
	size_t words = abi >= 6 ? 3 : abi >= 4 ? 2 : 1;

	return (int)syscall(SYS_landlock_create_ruleset, &everything, words * sizeof(uint64_t), 0);
}

static bool
permit_reading(int ruleset, const char *path, struct failure *why)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	bool is_added;

	if (rule.parent_fd == -1)
		return errno == ENOENT || errno == EACCES || fail(why, FAIL_INTERNAL, "%s: %s", path, strerror(errno));
	is_added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ||
	    fail(why, FAIL_INTERNAL, "landlock_add_rule: %s", strerror(errno));
	close(rule.parent_fd);
	return is_added;
}

static bool
restrict_to(int ruleset, struct failure *why)
{
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		if (!permit_reading(ruleset, readable[i], why))
			return false;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		return fail(why, FAIL_INTERNAL, "landlock_restrict_self: %s", strerror(errno));
	return true;
}

bool
landlock_enter(unsigned *abi, struct failure *why)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	bool is_restricted;
	int ruleset;

	*abi = 0;
	if (version == -1) {
		/* Not built in, or not among the modules that the boot loader's lsm= names;
		 * EPERM comes from the filters of container runtimes. */
		if (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)
			return true;
		return fail(why, FAIL_INTERNAL, "landlock_create_ruleset: %s", strerror(errno));
	}
	ruleset = open_ruleset((unsigned)version);
	if (ruleset == -1)
		return fail(why, FAIL_INTERNAL, "landlock_create_ruleset: %s", strerror(errno));
	is_restricted = restrict_to(ruleset, why);
	close(ruleset);
	if (is_restricted)
		*abi = (unsigned)version;
	return is_restricted;
}
