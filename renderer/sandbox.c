/*
 * sandbox - for now only what every process can do: no new privileges, and no
 * look into its memory by others of its user.
 *
 * It does not yet keep a decoder that was taken over from opening files and
 * sockets: the system call filter and Landlock belong here.
 */
#include "renderer/sandbox.h"

#include "renderer/sanitizer.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

bool
sandbox_enter(struct failure *why)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fail(why, FAIL_INTERNAL, "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	/* LeakSanitizer traces its own process at the end, which needs it dumpable. */
	if (prctl(PR_SET_DUMPABLE, HAS_ADDRESS_SANITIZER, 0, 0, 0) == -1)
		return fail(why, FAIL_INTERNAL, "PR_SET_DUMPABLE: %s", strerror(errno));
	return true;
}
