/*
 * import_worker - a process that imports one object after the other.
 */
#ifndef CLI_IMPORT_WORKER_H
#define CLI_IMPORT_WORKER_H

#include "cli/import.h"

/*
 * Takes items from the socket `items`, which all workers share, and sends one
 * result for each.  Returns when there are no more, or when the lifeline (the
 * read end of a pipe) has ended, after the item at hand: the exit status.
 */
int import_worker_run(const struct import_plan *plan, const struct render_address *renderers, int items,
    int results, int lifeline);

#endif
