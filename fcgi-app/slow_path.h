/*
 * slow_path - getting a file that is not in the store: fetch, render, or wait.
 *
 * Bounded in every way, so that there are always responders for what is in the store,
 * and refused at once (FAIL_BUSY) where a bound is reached:
 *
 *	slow_responders		requests that are here at all
 *	three quarters of them	requests that wait for what another one makes
 *	backlog_ms		estimated work, for each renderer, that is begun or waits; one alone
 *				takes no more than all renderers but one could
 *	renderers - 1		jobs of more than heavy_ms at once; they wait for each other
 *
 * One request on this server makes a given file, and, as far as the ring allows,
 * one server of all.  A failure is the failure of all who waited for it.  Whose client
 * has gone stops, unless others wait for the same file.
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

/*
 * Makes what nobody waits for, so that it is there when it is asked for: only when no
 * more requests are being worked for than would leave a renderer idle, and no more than
 * `ahead` at once; else, and when it fails, nothing happens but a line in the log.  It ends when one
 * of request->ends does, unless others have begun to wait for the same file.
 */
void slow_path_make_ahead(struct server *server, struct request *request, const struct wish *wish);

/* For /metrics. */
struct slow_path_load {
	unsigned requests, requests_max;
	unsigned waiting, waiting_max;		/* of those */
	unsigned work_ms, work_max_ms;		/* estimated */
};
struct slow_path_load slow_path_load(struct server *server);

#endif
