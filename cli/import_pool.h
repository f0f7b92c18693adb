/*
 * import_pool - the processes of an import, started, fed, watched and ended.
 *
 * import_pool_open() forks the workers and starts the renderers, before any
 * connection exists.  Items go to whichever worker is free; results come back
 * through on_result(), called from within the pool's functions.  SIGINT,
 * SIGTERM and SIGHUP stop the import after the objects at hand, a second one at
 * once.  A renderer that leaves is replaced; a worker that dies is not, its
 * object is counted as lost.
 */
#ifndef CLI_IMPORT_POOL_H
#define CLI_IMPORT_POOL_H

#include "base/arena.h"
#include "cli/import.h"

struct import_pool;

struct import_listener {
	void (*on_result)(void *state, const struct import_result *result);
	void (*on_wait)(void *state);	/* several times a second: for the progress line */
	void *state;
};

struct import_pool *import_pool_open(struct arena *arena, const struct import_plan *plan,
    const struct import_listener *listener, struct failure *why) __attribute__((warn_unused_result));

/* Waits until a worker takes it.  False when the import has been stopped. */
bool import_pool_give(struct import_pool *pool, const struct import_item *item)
    __attribute__((warn_unused_result));

/* Finishes the objects at hand and drops those that wait. */
void import_pool_stop(struct import_pool *pool);

/* Waits for all results, ends the processes.  False when not every item was
 * answered: it was stopped, or processes died. */
bool import_pool_close(struct import_pool *pool, struct failure *why) __attribute__((warn_unused_result));

#endif
