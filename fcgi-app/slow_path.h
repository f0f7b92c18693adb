/*
 * slow_path - getting a file that is not in the store: wait, fetch, render.
 *
 * Bounded: only so many responders may be here at once (a place in the slow
 * lane), and only one on this host makes a given file (single flight); the
 * others wait for it and find it in the store.
 */
#ifndef FCGI_APP_SLOW_PATH_H
#define FCGI_APP_SLOW_PATH_H

#include "fcgi-app/request.h"
#include "fcgi-app/server.h"
#include "fcgi-app/wish.h"

/* Opens the file of the wish's variant, making it first; for the recipe "original"
 * that is the original itself.  The tier and the steps are noted in the request. */
bool slow_path_obtain(struct server *server, struct request *request, const struct wish *wish,
    struct store_file *file, struct failure *why) __attribute__((warn_unused_result));

/* Places taken now, for /metrics. */
unsigned slow_path_places_taken(struct server *server);

#endif
