/*
 * listener - the socket that the web server connects to.
 */
#ifndef FCGI_APP_LISTENER_H
#define FCGI_APP_LISTENER_H

#include "base/failure.h"
#include "settings/settings.h"

#include <stdbool.h>

/*
 * Binds "unix:/path" or "address:port" and listens.  A unix socket that nobody
 * serves any more is replaced; one that somebody serves is a failure, and so is
 * an address in use.  Close-on-exec.  -1 and FAIL_INTERNAL.
 */
int listener_open(const struct server_settings *settings, struct failure *why)
    __attribute__((warn_unused_result));

/* Removes the name of a unix socket, so that nobody new connects. */
void listener_unlink(const char *listen);

/* Whether the descriptor is a listening socket: what mod_fcgid gives us as 0. */
bool descriptor_is_listener(int fd);

#endif
