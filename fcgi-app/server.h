/*
 * server - what one responder holds to answer requests: the modules, opened
 * from the settings, after fork.
 */
#ifndef FCGI_APP_SERVER_H
#define FCGI_APP_SERVER_H

#include "base/failure.h"
#include "catalog/catalog.h"
#include "fcgi-app/duty.h"
#include "fcgi-app/own_renderer.h"
#include "fcgi-app/route.h"
#include "fcgi-app/shared.h"
#include "origin/origin.h"
#include "peers/peers.h"
#include "render/render_client.h"
#include "settings/settings.h"
#include "store/store.h"

#include <stdbool.h>

/* What a bounded number of responders may do at once, so that others stay free
 * for hits: places of store_take_place(). */
enum server_lane {
	LANE_SLOW,	/* fetch and render */
	LANE_SEND,	/* send a large file through FastCGI to a client that may be slow */
	LANE_PROBE,	/* ask dependencies for /health?require= */
	LANE_WAIT,	/* wait for what another request is making */
	LANE_WORK,	/* estimated work that is being done or waits: slow_path.c */
	LANE_HEAVY,	/* jobs that keep a renderer for long, so that one renderer is free of them */
	LANE_MEMORY,	/* hold new bytes in memory, while the disk takes none: draft.h */
	LANE_RECEIVE,	/* wait for the rest of a request that did not come at once */
	LANE_AHEAD	/* make what nobody waits for: slow_path_make_ahead() */
};

struct server {
	const struct settings *settings;
	struct duty *duty;		/* the responder's, set by it: before what may take long, duty_hand_over() */
	struct store *store;
	struct peers *peers;
	struct catalog *catalog;
	struct origin_config origin_configs[SETTINGS_ORIGINS_MAX];	/* the settings', with shared health */
	struct origin *origins[SETTINGS_ORIGINS_MAX];
	struct shared *shared;
	struct metrics *metrics;	/* in there */
	struct known_rows *rows;
	struct render_address renderers;	/* of the supervisor, when own_renderer is NULL */
	struct own_renderer *own_renderer;	/* under mod_fcgid */
	int drain;				/* readable: this server is being stopped; -1: never told */
};

/* renderer_listener is -1 under mod_fcgid: the responder then starts a
 * renderer of its own.  FAIL_INTERNAL. */
bool server_open(struct server *server, const struct settings *settings, struct shortcuts *shortcuts,
    int renderer_listener, int drain, struct failure *why) __attribute__((warn_unused_result));
void server_close(struct server *server);

/* What this kernel gives renderers of their sandbox, as an event. */
void server_log_sandbox(const struct settings *settings);

/* A place among those who wait for what another request makes: three quarters of the
 * slow path, because a thousand who want one picture must leave places to those who
 * want another.  FAIL_BUSY at once. */
unsigned server_waiting_places(const struct server *server);
bool server_take_waiting_place(struct server *server, struct store_lock *place, struct failure *why)
    __attribute__((warn_unused_result));

/* What the path's token permits; nothing special when it has none. */
bool server_check_token(const struct server *server, const struct route *route, int64_t now, struct permit *permit,
    struct failure *why) __attribute__((warn_unused_result));

/* NULL and FAIL_INTERNAL when no origin of that name is configured. */
struct origin *server_find_origin(struct server *server, const char *name, struct failure *why);

/* Runs a job on a renderer and counts the result. */
bool server_render(struct server *server, const struct job *job, const struct job_files *files,
    struct deadline deadline, struct job_result *result, struct failure *why) __attribute__((warn_unused_result));

/* The same, not counted: for probes. */
bool server_try_renderer(struct server *server, const struct job *job, const struct job_files *files,
    struct deadline deadline, struct job_result *result, struct failure *why) __attribute__((warn_unused_result));

/* Whether a renderer has answered a job, on any responder of this server, since then. */
bool server_renderer_answered_within_ms(const struct server *server, unsigned ms);

/* Whether the server is being stopped. */
bool server_is_draining(const struct server *server);

#endif
