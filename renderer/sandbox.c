/*
 * sandbox - for now only what every process can do: no new privileges, and no
 * look into its memory by others of its user.
 *
 * It does not yet keep a decoder that was taken over from opening files and
 * sockets: the system call filter and Landlock belong here.
 */
#include "renderer/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

/* LeakSanitizer traces its own process at the end, which needs it dumpable. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_DUMPABLE 1
#endif
#endif
#ifndef IS_DUMPABLE
#define IS_DUMPABLE 0
#endif

bool
sandbox_enter(struct failure *why)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fail(why, FAIL_INTERNAL, "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, IS_DUMPABLE, 0, 0, 0) == -1)
		return fail(why, FAIL_INTERNAL, "PR_SET_DUMPABLE: %s", strerror(errno));
	return true;
}
