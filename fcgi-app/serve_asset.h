/*
 * serve_asset - the way of one request for a picture.  Read this file first.
 */
#ifndef FCGI_APP_SERVE_ASSET_H
#define FCGI_APP_SERVE_ASSET_H

#include "fcgi-app/request.h"
#include "fcgi-app/response.h"
#include "fcgi-app/route.h"
#include "fcgi-app/server.h"

/* Fills the response, or *why. */
bool serve_asset(struct server *server, struct request *request, const struct route *route,
    struct response *response, struct failure *why) __attribute__((warn_unused_result));

#endif
