#include "renderer/sandbox.h"

#include "renderer/landlock.h"
#include "renderer/sanitizer.h"
#include "renderer/system_calls.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No new privileges, and no look into its memory by others of its user. */
static bool
close_process(struct failure *why)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fail(why, FAIL_INTERNAL, "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	/* LeakSanitizer traces its own process at the end, which needs it dumpable. */
	if (prctl(PR_SET_DUMPABLE, HAS_ADDRESS_SANITIZER, 0, 0, 0) == -1)
		return fail(why, FAIL_INTERNAL, "PR_SET_DUMPABLE: %s", strerror(errno));
	return true;
}

/* A library that begins to make threads when it is loaded would leave them
 * outside, and nobody would notice. */
static bool
is_single_threaded(struct failure *why)
{
	struct stat threads;

	if (stat("/proc/self/task", &threads) == -1)
		return fail(why, FAIL_INTERNAL, "/proc/self/task: %s", strerror(errno));
	/* ".", "..", and a folder for each thread. */
	if (threads.st_nlink != 3)
		return fail(why, FAIL_INTERNAL, "there are threads already, which the sandbox would not hold");
	return true;
}

static bool
drop_capabilities(struct failure *why)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capset, &header, none) == -1)
		return fail(why, FAIL_INTERNAL, "capset: %s", strerror(errno));
	return true;
}

static bool
is_complete(const struct sandbox_parts *parts, struct failure *why)
{
	if (HAS_ADDRESS_SANITIZER)
		return fail(why, FAIL_INTERNAL,
		    "render.sandbox is required, but AddressSanitizer needs what it forbids");
	if (!parts->has_seccomp)
		return fail(why, FAIL_INTERNAL, "render.sandbox is required, but this kernel has no seccomp filters");
	if (parts->landlock_abi == 0)
		return fail(why, FAIL_INTERNAL, "render.sandbox is required, but this kernel has no Landlock");
	return true;
}

bool
sandbox_enter(enum sandbox_wish wish, struct sandbox_parts *parts, struct failure *why)
{
	*parts = (struct sandbox_parts){ 0 };
	if (!close_process(why))
		return false;
	if (wish == SANDBOX_OFF)
		return true;
	/* The filter last: it forbids the calls that set up the rest. */
	if (!HAS_ADDRESS_SANITIZER && (!is_single_threaded(why) || !drop_capabilities(why) ||
	    !landlock_enter(&parts->landlock_abi, why) || !system_calls_restrict(&parts->has_seccomp, why)))
		return false;
	return wish == SANDBOX_PREFERRED || is_complete(parts, why);
}
