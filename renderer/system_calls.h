/*
 * system_calls - the filter of what this process may ask of the kernel.
 *
 * An allow-list, made from what every picture test asks for.  What is not on it
 * answers ENOSYS, as an older kernel would: libraries try new calls and fall
 * back, and none may die of it on a kernel or a C library that we have not
 * seen.  A few calls no decoder ever makes; whoever makes one has taken it over,
 * and the kernel ends the process (SIGSYS), which the supervisor logs.
 */
#ifndef RENDERER_SYSTEM_CALLS_H
#define RENDERER_SYSTEM_CALLS_H

#include "base/failure.h"

#include <stdbool.h>

/* For all threads.  *is_in_force is false without an error when the kernel has
 * no seccomp filters.  FAIL_INTERNAL. */
bool system_calls_restrict(bool *is_in_force, struct failure *why) __attribute__((warn_unused_result));

#endif
