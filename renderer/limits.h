/*
 * limits - what the kernel holds this process to, whatever a decoder does.
 */
#ifndef RENDERER_LIMITS_H
#define RENDERER_LIMITS_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct limits {
	uint64_t memory_bytes;		/* of address space; 0: no limit */
	uint64_t max_output_bytes;	/* of any file it writes */
};

/* Also lowers the priority and tells malloc to give memory back.  Before
 * libvips starts, because it makes threads.  FAIL_INTERNAL. */
bool limits_enter(const struct limits *limits, struct failure *why) __attribute__((warn_unused_result));

/* Whether this process has used so much CPU that it should leave before the
 * kernel ends it in the middle of a job. */
bool limits_are_near(void);

#endif
