/*
 * fastcgi - requests from the web server, and the answers, through libfcgi.
 *
 * The only file that includes fcgiapp.h is fastcgi.c.  A connection is for one request: to
 * keep it saves nothing that could be measured, and a responder that waits on one serves nobody
 * else.  libfcgi reads without a time limit, and dies of lengths that lie and of management
 * records, so it gets to see a request when all of it is here and fastcgi_head.h has found it
 * well-formed.  Nothing that a peer sends ends the process or holds it for longer than it was
 * given.
 */
#ifndef FCGI_APP_FASTCGI_H
#define FCGI_APP_FASTCGI_H

#include "base/deadline.h"
#include "fcgi-app/request.h"
#include "fcgi-app/response.h"

#include <stdbool.h>

struct fastcgi;

/* Once per process, after fork; the listener is made non-blocking. */
struct fastcgi *fastcgi_open(int listener);
void fastcgi_close(struct fastcgi *fastcgi);

enum fastcgi_answer { FASTCGI_CONNECTED, FASTCGI_NONE, FASTCGI_BROKEN };

/* FASTCGI_NONE: a sibling was quicker, or the peer vanished. */
enum fastcgi_answer fastcgi_accept(struct fastcgi *fastcgi);

/* Reads the request, to the end of its body, which is dropped.  FAIL_TIMEOUT when it is
 * not all there at the deadline: what came is kept, and the call can be made again.
 * FAIL_ABANDONED when the peer left without a word, FAIL_BAD_REQUEST when it says what
 * it should not. */
bool fastcgi_receive(struct fastcgi *fastcgi, struct deadline deadline, struct failure *why)
    __attribute__((warn_unused_result));

/* What was received; its texts live until fastcgi_finish(). */
void fastcgi_read(struct fastcgi *fastcgi, struct arena *arena, struct request *request);

/* Sends headers and body; false when the peer has gone, when it takes nothing for 30 s,
 * or when the file is shorter than was announced: then the connection is broken
 * off.  sent counts body bytes.  The watchdog is set anew for each piece, so a slow
 * client is no stuck process. */
bool fastcgi_send(struct fastcgi *fastcgi, const struct request *request, const struct response *response,
    uint64_t *sent) __attribute__((warn_unused_result));

/* Ends the connection. */
void fastcgi_finish(struct fastcgi *fastcgi);

#endif
