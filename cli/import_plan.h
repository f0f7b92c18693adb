/*
 * import_plan - from what the user says to what will be listed, read and named.
 */
#ifndef CLI_IMPORT_PLAN_H
#define CLI_IMPORT_PLAN_H

#include "cli/command.h"
#include "cli/import.h"

/* EXIT_SUCCESS, or the exit status when the user's wish makes no sense; the
 * user has then been told. */
int import_plan_make(const struct invocation *invocation, struct import_plan *plan);

#endif
