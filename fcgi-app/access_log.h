/*
 * access_log - one logfmt line for each request, and few named events.
 *
 * A line is one write(2) on standard error, so that lines of many processes do
 * not mix.  Values that come from outside are quoted and escaped.
 */
#ifndef FCGI_APP_ACCESS_LOG_H
#define FCGI_APP_ACCESS_LOG_H

#include "fcgi-app/request.h"
#include "fcgi-app/response.h"

void access_log_write(const struct request *request, const struct response *response, uint64_t sent_bytes,
    bool client_is_gone);

/* event=NAME and the formatted rest, which must be logfmt already; then
 * reason="...", quoted, unless it is NULL. */
void log_event(const char *name, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A connection that brought no request: at most one line a second from each process,
 * with the number of those that were left out. */
void log_refused_peer(const char *reason);

#endif
