/*
 * sandbox - what this process gives up for good before it sees a stranger's bytes.
 *
 * Afterwards it can compute, use the descriptors it holds and gets with a job,
 * and read fonts.  It opens nothing else by name and nothing for writing, makes
 * no socket and no process, runs no program, maps no new code, signals nobody,
 * and as root has no capability left.  What the kernel offers for that differs:
 * a filter of system calls (system_calls.c) and Landlock (landlock.c).
 *
 * It stays able to spoil the results of the jobs it takes, to take jobs until it
 * is replaced, to write on standard error, and to ask whether a path exists.
 */
#ifndef RENDERER_SANDBOX_H
#define RENDERER_SANDBOX_H

#include "base/failure.h"
#include "render/renderer_process.h"

#include <stdbool.h>

/* Between image_init(), which loads modules, and image_warm_up(), which makes
 * threads: Landlock holds only the thread that asks, and those it makes.
 * FAIL_INTERNAL when a part that is required is missing.  Under
 * AddressSanitizer, which traces its own process at the end, no part is there. */
bool sandbox_enter(enum sandbox_wish wish, struct sandbox_parts *parts, struct failure *why)
    __attribute__((warn_unused_result));

#endif
