/*
 * fastcgi - requests from the web server, and the answers, through libfcgi.
 *
 * The only file that includes fcgiapp.h is fastcgi.c.  One connection at a
 * time.  libfcgi reads parameters without a time limit and gives up a
 * connection at any signal, so signals stay blocked and the responder arms an
 * alarm before fastcgi_accept().
 */
#ifndef FCGI_APP_FASTCGI_H
#define FCGI_APP_FASTCGI_H

#include "fcgi-app/request.h"
#include "fcgi-app/response.h"

#include <stdbool.h>

struct fastcgi;

/* Once per process, after fork; the listener is made non-blocking. */
struct fastcgi *fastcgi_open(int listener);

enum fastcgi_answer { FASTCGI_REQUEST, FASTCGI_NONE, FASTCGI_BROKEN };

/* Accepts one request, whose spans live until fastcgi_finish().
 * FASTCGI_NONE: a sibling was quicker, or the peer vanished. */
enum fastcgi_answer fastcgi_accept(struct fastcgi *fastcgi, struct arena *arena, struct request *request);

/* Sends headers and body; false when the peer has gone, or when the file is
 * shorter than was announced: then the connection is broken off.  sent counts
 * body bytes.  While a file is sent the caller's alarm is set anew for each
 * piece, so a slow client is no stuck process. */
bool fastcgi_send(struct fastcgi *fastcgi, const struct request *request, const struct response *response,
    uint64_t *sent);

void fastcgi_finish(struct fastcgi *fastcgi);
void fastcgi_close(struct fastcgi *fastcgi);

#endif
