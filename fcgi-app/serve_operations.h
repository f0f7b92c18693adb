/*
 * serve_operations - /health for load balancers, /metrics for Prometheus.
 */
#ifndef FCGI_APP_SERVE_OPERATIONS_H
#define FCGI_APP_SERVE_OPERATIONS_H

#include "fcgi-app/request.h"
#include "fcgi-app/response.h"
#include "fcgi-app/server.h"

/*
 * 200 when this server can do its work, 503 while it drains or cannot.  Only
 * its own faults count (disk, renderers), because a load balancer that takes
 * every server out for a dead database makes an outage of a slowdown.
 * ?require=database,database-write,memcached,s3 asks for more.  The body says
 * for each part whether it is "ok" and what is wrong.
 */
void serve_health(struct server *server, struct request *request, struct response *response);

void serve_metrics(struct server *server, struct request *request, struct response *response);

#endif
