#include "fcgi-app/server.h"

#include "fcgi-app/access_log.h"

#include <poll.h>
#include <string.h>

/* A fallback is one of them: it stays the same one, and shares its health. */
static void
share_health(struct server *server)
{
	const struct settings *settings = server->settings;

	for (unsigned i = 0; i < settings->origin_count; i++) {
		struct origin_config *config = &server->origin_configs[i];

		*config = settings->origins[i];
		config->health = &server->shared->origins[i];
		if (config->fallback != NULL)
			config->fallback = &server->origin_configs[config->fallback - settings->origins];
	}
}

static bool
open_origins(struct server *server, struct failure *why)
{
	share_health(server);
	for (unsigned i = 0; i < server->settings->origin_count; i++) {
		server->origins[i] = origin_open(&server->origin_configs[i], why);
		if (server->origins[i] == NULL)
			return false;
	}
	return true;
}

static bool
open_renderers(struct server *server, int renderer_listener, struct failure *why)
{
	if (renderer_listener != -1)
		return render_address_of(renderer_listener, &server->renderers, why);
	server->own_renderer = own_renderer_open(&server->settings->render.process, why);
	return server->own_renderer != NULL;
}

/* Cannot fail once its list of servers is well formed: all of them connect when first needed. */
static bool
open_catalog(struct server *server, struct failure *why)
{
	struct peers_config peers = server->settings->peers;
	struct catalog_config catalog = server->settings->catalog;

	peers.breakers = server->shared->peers;
	catalog.health = &server->shared->catalog;
	server->peers = peers_open(&peers, why);
	if (server->peers == NULL)
		return false;
	server->catalog = catalog_open(&catalog, server->peers);
	return true;
}

bool
server_open(struct server *server, const struct settings *settings, struct shortcuts *shortcuts,
    int renderer_listener, int drain, struct failure *why)
{
	*server = (struct server){ .settings = settings, .rows = &shortcuts->rows, .drain = drain };
	server->store = store_open_untried(&settings->store, why);
	if (server->store == NULL)
		return false;
	store_share_verified(server->store, &shortcuts->verified);
	server->shared = shared_open(settings->store.root);
	server->metrics = &server->shared->metrics;
	store_share_bells(server->store, &server->shared->bells);
	if (open_catalog(server, why) && open_origins(server, why) && open_renderers(server, renderer_listener, why))
		return true;
	server_close(server);
	return false;
}

void
server_close(struct server *server)
{
	if (server->catalog != NULL)
		catalog_close(server->catalog);
	if (server->peers != NULL)
		peers_close(server->peers);
	for (unsigned i = 0; i < server->settings->origin_count; i++)
		if (server->origins[i] != NULL)
			origin_close(server->origins[i]);
	own_renderer_close(server->own_renderer);
	if (server->shared != NULL)
		shared_close(server->shared);
	if (server->store != NULL)
		store_close(server->store);
}

unsigned
server_waiting_places(const struct server *server)
{
	unsigned slow = server->settings->server.slow_responders;

	return slow > 1 ? slow * 3 / 4 : 1;
}

bool
server_take_waiting_place(struct server *server, struct store_lock *place, struct failure *why)
{
	unsigned places = server_waiting_places(server);

	return store_take_place(server->store, LANE_WAIT, places, place) ||
	    fail(why, FAIL_BUSY, "%u requests wait for others already", places);
}

void
server_log_sandbox(const struct settings *settings)
{
	const struct render_settings *render = &settings->render;

	log_event("sandbox", NULL, "wanted=%s seccomp=%d landlock=%u", sandbox_wishes[render->process.sandbox],
	    render->sandbox.has_seccomp, render->sandbox.landlock_abi);
}

bool
server_check_token(const struct server *server, const struct route *route, int64_t now, struct permit *permit,
    struct failure *why)
{
	*permit = (struct permit){ 0 };
	if (!route->has_token)
		return true;
	return token_verify(&server->settings->keys, route->token, route->covered, route->asset, now, permit, why);
}

struct origin *
server_find_origin(struct server *server, const char *name, struct failure *why)
{
	for (unsigned i = 0; i < server->settings->origin_count; i++)
		if (strcmp(server->settings->origins[i].name, name) == 0)
			return server->origins[i];
	fail(why, FAIL_INTERNAL, "the asset's origin '%s' is not configured", name);
	return NULL;
}

bool
server_try_renderer(struct server *server, const struct job *job, const struct job_files *files,
    struct deadline deadline, struct job_result *result, struct failure *why)
{
	bool worked;

	*result = (struct job_result){ 0 };
	if (server->own_renderer != NULL)
		worked = own_renderer_run(server->own_renderer, job, files, deadline, result, why);
	else
		worked = render_run(&server->renderers, job, files, deadline, result, why);
	/* To refuse a picture is an answer too. */
	if (worked || result->failure.kind != FAIL_NONE)
		atomic_store(&server->metrics->renderer_answered_us, monotonic_us());
	return worked;
}

bool
server_render(struct server *server, const struct job *job, const struct job_files *files, struct deadline deadline,
    struct job_result *result, struct failure *why)
{
	bool worked = server_try_renderer(server, job, files, deadline, result, why);
	bool was_abandoned = !worked && deadline.vigil != NULL && deadline.vigil->was_over;

	metrics_count(&server->metrics->renders[was_abandoned ? FAIL_ABANDONED : why->kind], 1);
	return worked;
}

bool
server_renderer_answered_within_ms(const struct server *server, unsigned ms)
{
	int64_t ago_us = monotonic_us() - atomic_load(&server->metrics->renderer_answered_us);

	/* The file may be older than this boot, and then from the future. */
	return ago_us >= 0 && ago_us < (int64_t)ms * 1000;
}

bool
server_is_draining(const struct server *server)
{
	struct pollfd drain = { .fd = server->drain, .events = POLLIN };

	/* A reload hangs up, and is no reason to send anybody away. */
	return server->drain != -1 && poll(&drain, 1, 0) == 1 && (drain.revents & POLLIN) != 0;
}
