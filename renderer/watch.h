/*
 * watch - ends the renderer when nobody waits for its job any longer.
 *
 * A thread of its own looks at the job's connection.  When the client hangs up
 * in the middle of a job, the process leaves at once and in order; another takes its
 * place.  Asking libvips to stop would be kinder and does not work: encoders of AVIF
 * and WebP finish first.
 */
#ifndef RENDERER_WATCH_H
#define RENDERER_WATCH_H

#include "base/failure.h"

#include <stdbool.h>

/* Makes the descriptor that wakes the thread, while that is still allowed.  FAIL_INTERNAL. */
bool watch_open(struct failure *why) __attribute__((warn_unused_result));

/* Starts the thread: after the sandbox has been entered, so that it holds.  FAIL_INTERNAL. */
bool watch_start(struct failure *why) __attribute__((warn_unused_result));

/* From here to watch_end() the end of this connection is the end of the process. */
void watch_begin(int connection);
void watch_end(void);

#endif
