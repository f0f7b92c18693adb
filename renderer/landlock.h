/*
 * landlock - leaves nothing but fonts to open by name.
 *
 * Landlock (landlock(7)) is for programs that restrict themselves, without
 * privileges.  It holds this thread and those it makes; descriptors that are
 * open stay as they are.  Existence and metadata of files remain visible.
 */
#ifndef RENDERER_LANDLOCK_H
#define RENDERER_LANDLOCK_H

#include "base/failure.h"

#include <stdbool.h>

/* With everything that the kernel's version of Landlock can forbid; *abi is that
 * version, or 0 without an error when the kernel has none.  FAIL_INTERNAL. */
bool landlock_enter(unsigned *abi, struct failure *why) __attribute__((warn_unused_result));

#endif
