/*
 * own_renderer - the renderer of a responder that has no supervisor.
 *
 * Under mod_fcgid the web server does the preforking: each process it starts
 * is one responder, and keeps one renderer of its own, started again when it
 * has left.  It ends with its responder, by the lifeline.
 */
#ifndef FCGI_APP_OWN_RENDERER_H
#define FCGI_APP_OWN_RENDERER_H

#include "base/failure.h"
#include "render/render_client.h"
#include "settings/settings.h"

#include <stdbool.h>

struct own_renderer;

struct own_renderer *own_renderer_open(const struct render_settings *settings, struct failure *why)
    __attribute__((warn_unused_result));
void own_renderer_close(struct own_renderer *own);

/* Before each job: sees to it that the renderer is alive. */
bool own_renderer_ensure(struct own_renderer *own, struct failure *why) __attribute__((warn_unused_result));

const struct render_address *own_renderer_address(const struct own_renderer *own);

#endif
