/*
 * serve_info - what is known of an asset, as JSON: /a/{asset}/info.json.
 *
 * From the catalog alone: no origin, no renderer, no store.  docs/urls.md says what
 * each member means; what the row does not know is null.
 */
#ifndef FCGI_APP_SERVE_INFO_H
#define FCGI_APP_SERVE_INFO_H

#include "fcgi-app/request.h"
#include "fcgi-app/response.h"
#include "fcgi-app/route.h"
#include "fcgi-app/server.h"

/* Fills the response, or *why. */
bool serve_info(struct server *server, struct request *request, const struct route *route,
    struct response *response, struct failure *why) __attribute__((warn_unused_result));

#endif
