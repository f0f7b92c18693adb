/*
 * resident - how much memory this process has in RAM.
 */
#ifndef RENDERER_RESIDENT_H
#define RENDERER_RESIDENT_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens /proc/self/statm: once, while files can still be opened. */
bool resident_open(struct failure *why) __attribute__((warn_unused_result));

uint64_t resident_bytes(void);

#endif
