/*
 * sandbox - what this process gives up for good before it sees a stranger's bytes.
 */
#ifndef RENDERER_SANDBOX_H
#define RENDERER_SANDBOX_H

#include "base/failure.h"

#include <stdbool.h>

/* After image_init(), which loads modules, and before the first job. */
bool sandbox_enter(struct failure *why) __attribute__((warn_unused_result));

#endif
