/*
 * own_renderer - the renderer of a responder that has no supervisor.
 *
 * Under mod_fcgid the web server does the preforking: each process it starts
 * is one responder, and keeps one renderer of its own, started again when it
 * has left.  It ends with its responder, by the lifeline.  Only the renderer
 * holds the socket that jobs come to, so the kernel tells at once when nobody
 * is there to take one.
 */
#ifndef FCGI_APP_OWN_RENDERER_H
#define FCGI_APP_OWN_RENDERER_H

#include "base/failure.h"
#include "render/render_client.h"
#include "render/renderer_process.h"

#include <stdbool.h>

struct own_renderer;

/* The config must outlive it. */
struct own_renderer *own_renderer_open(const struct renderer_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void own_renderer_close(struct own_renderer *own);

/* As render_run().  When the renderer was just leaving, the next one gets the job. */
bool own_renderer_run(struct own_renderer *own, const struct job *job, const struct job_files *files,
    struct deadline deadline, struct job_result *result, struct failure *why) __attribute__((warn_unused_result));

#endif
