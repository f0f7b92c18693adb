#include "fcgi-app/responder.h"

#include "fcgi-app/access_log.h"
#include "fcgi-app/exit_code.h"
#include "fcgi-app/fastcgi.h"
#include "fcgi-app/route.h"
#include "fcgi-app/serve_asset.h"
#include "fcgi-app/serve_info.h"
#include "fcgi-app/serve_operations.h"
#include "fcgi-app/server.h"
#include "fcgi-app/slow_path.h"
#include "fcgi-app/watchdog.h"
#include "http/url.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* A web server sends all of a request with the connection.  Who does not at once is waited for, and
	 * after that by few of us. */
	AT_ONCE_MS = 25,
	RECEIVE_MS = 3000,
	WATCHDOG_GRACE_S = 5,
	/* A stopping server answers what has already connected, within reason. */
	BACKLOG_MAX = 256
};

struct responder {
	struct server server;
	struct fastcgi *fastcgi;
	struct arena *arena;
	struct request request;		/* what it points to is in the arena */
	struct duty duty;
	int listener;
	int leave;
	uint64_t requests_left;
};

/* ---- one request --------------------------------------------------------------- */

static bool
serve(struct server *server, struct request *request, struct response *response, struct failure *why)
{
	struct route route;
	struct span path;
	bool is_routed;

	if (!url_path(request->target, &path, why))
		return false;
	if (!request->is_head && !span_equals(request->method, "GET"))
		return fail(why, FAIL_METHOD, "method %.16s",
		    request->method.length > 0 ? request->method.at : "(none)");
	is_routed = route_parse(path, server->settings->server.url_prefix, request->arena, &route, why);
	request->secret = route.mac;
	if (!is_routed)
		return false;
	if (route.kind == ROUTE_HEALTH || route.kind == ROUTE_METRICS)
		duty_hand_over(server->duty);
	if (route.kind == ROUTE_HEALTH)
		serve_health(server, request, response);
	else if (route.kind == ROUTE_METRICS)
		serve_metrics(server, request, response);
	else if (route.kind == ROUTE_INFO)
		return serve_info(server, request, &route, response, why);
	else
		return serve_asset(server, request, &route, response, why);
	return true;
}

static struct span
query_of(struct span target)
{
	const char *mark = target.length > 0 ? memchr(target.at, '?', target.length) : NULL;

	if (mark == NULL)
		return span_range(NULL, 0);
	return span_range(mark + 1, target.length - (size_t)(mark - target.at) - 1);
}

static void
log_complaint(struct catalog *catalog)
{
	struct failure complaint = { 0 };

	if (catalog_take_complaint(catalog, &complaint))
		log_event("catalog-complaint", complaint.detail, "%s", "");
}

static void
answer(struct responder *responder, struct request *request)
{
	struct server *server = &responder->server;
	struct failure why = { 0 };
	struct response response;
	uint64_t sent_bytes;
	int64_t from_us;
	bool was_sent;

	request->deadline = deadline_in_ms(server->settings->server.request_timeout_ms);
	request->query = query_of(request->target);
	response_init(&response);
	if (!serve(server, request, &response, &why)) {
		request->later = NULL;
		metrics_count(&server->metrics->failures[why.kind], 1);
		response_failure(&response, request, &server->settings->http, &why);
	}
	response_add_header(&response, "X-Request-Id", request->id);
	from_us = monotonic_us();
	was_sent = fastcgi_send(responder->fastcgi, request, &response, &sent_bytes);
	if (response.is_sent_by_server && !request->is_head)
		sent_bytes = response.file_bytes;
	request_note_step(request, STEP_SEND, &from_us);
	metrics_note_request(server->metrics, request, response.status, sent_bytes);
	access_log_write(request, &response, sent_bytes, !was_sent);
	log_complaint(server->catalog);
}

/* A part of those who are kept free for hits: a crowd of silent peers must leave some. */
static unsigned
receiving_places(const struct server_settings *settings)
{
	unsigned places = (settings->responders - settings->slow_responders) * 3 / 8;

	return places > 0 ? places : 1;
}

static bool
receive(struct responder *responder, struct failure *why)
{
	const struct server *server = &responder->server;
	struct store_lock place;
	bool was_received;

	if (fastcgi_receive(responder->fastcgi, deadline_in_ms(0), why))
		return true;
	if (why->kind != FAIL_TIMEOUT)
		return false;
	failure_clear(why);
	duty_hand_over(&responder->duty);
	if (fastcgi_receive(responder->fastcgi, deadline_in_ms(AT_ONCE_MS), why))
		return true;
	if (why->kind != FAIL_TIMEOUT ||
	    !store_take_place(server->store, LANE_RECEIVE, receiving_places(&server->settings->server), &place))
		return false;
	failure_clear(why);
	was_received = fastcgi_receive(responder->fastcgi, deadline_in_ms(RECEIVE_MS), why);
	store_unlock(&place);
	return was_received;
}

static void
serve_request(struct responder *responder)
{
	const struct server_settings *settings = &responder->server.settings->server;
	struct failure why = { 0 };

	responder->request.leaves_work = false;
	watchdog_set((RECEIVE_MS + settings->request_timeout_ms) / 1000 + WATCHDOG_GRACE_S);
	if (receive(responder, &why)) {
		fastcgi_read(responder->fastcgi, responder->arena, &responder->request);
		answer(responder, &responder->request);
		responder->requests_left--;
	} else if (why.kind != FAIL_ABANDONED) {
		log_refused_peer(why.detail);
	}
}

/* The client has its answer.  Another one would wait for us if we alone have the renderer. */
static void
make_for_later(struct responder *responder)
{
	struct server *server = &responder->server;
	const struct wish *wish = responder->request.later;
	struct request request = {
		.arena = responder->arena,
		.deadline = deadline_in_ms(server->settings->render.timeout_ms),
		.started_us = monotonic_us(),
		.id = responder->request.id,
		.ends = {
			{ .fd = responder->leave, .events = POLLIN },
			{ .fd = server->own_renderer != NULL ? responder->listener : -1, .events = POLLIN }
		},
	};

	watchdog_set(server->settings->render.timeout_ms / 1000 + WATCHDOG_GRACE_S);
	slow_path_make_ahead(server, &request, wish);
}

/* Accepts and serves one connection, if there is one. */
static enum fastcgi_answer
serve_one(struct responder *responder)
{
	enum fastcgi_answer accepted = fastcgi_accept(responder->fastcgi);

	if (accepted == FASTCGI_CONNECTED) {
		duty_take(&responder->duty);
		serve_request(responder);
		fastcgi_finish(responder->fastcgi);
		arena_release(responder->arena);
		if (responder->request.leaves_work && responder->request.later != NULL)
			make_for_later(responder);
		arena_reset(responder->arena);
	}
	return accepted;
}

/* ---- the process --------------------------------------------------------------- */

static struct peers *peers_asked;

static void
blame_peer(int number)
{
	(void)number;
	if (peers_asked != NULL)
		peers_blame(peers_asked);
}

/* Give or take a tenth, so that responders do not all leave together. */
static uint64_t
requests_until_replaced(unsigned configured)
{
	uint64_t spread = configured / 5;

	if (configured == 0)
		return UINT64_MAX;
	return configured - spread / 2 + (spread > 0 ? (uint64_t)getpid() * 2654435761u % spread : 0) + 1;
}

/* The web server connects, writes its request and has other clients: a connection must not take
 * its processor from it at once.  Batch processes are woken as quickly, but wait for their turn (sched(7));
 * their share is the same. */
static void
let_web_server_finish(void)
{
	(void)sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ .sched_priority = 0 });
}

static bool
responder_open(struct responder *responder, const struct settings *settings, const struct responder_config *config,
    struct failure *why)
{
	*responder = (struct responder){
		.listener = config->duty.listener,
		.leave = config->duty.leave,
		.requests_left = requests_until_replaced(settings->server.requests_per_responder),
	};
	if (!server_open(&responder->server, settings, config->shortcuts, config->renderer_listener, config->drain,
	    why))
		return false;
	responder->server.duty = &responder->duty;
	let_web_server_finish();
	/* Whatever ends us goes on doing so when the handler returns. */
	peers_asked = responder->server.peers;
	signal(SIGABRT, blame_peer);
	/* Its name was all we needed.  When nobody is left who serves it, our
	 * copy would let jobs wait there. */
	if (config->renderer_listener != -1)
		close(config->renderer_listener);
	responder->arena = arena_new();
	responder->fastcgi = fastcgi_open(config->duty.listener);
	return duty_open(&responder->duty, &config->duty, why);
}

static void
responder_close(struct responder *responder)
{
	duty_close(&responder->duty);
	fastcgi_close(responder->fastcgi);
	peers_asked = NULL;
	server_close(&responder->server);
	arena_free(responder->arena);
}

/* What has connected before the socket was closed is still answered; not at a reload,
 * after which the next generation has the socket. */
static void
serve_backlog(struct responder *responder)
{
	for (unsigned i = 0; i < BACKLOG_MAX && serve_one(responder) == FASTCGI_CONNECTED; i++)
		;
}

static enum duty_call
wait_for_duty(struct responder *responder)
{
	watchdog_rest();
	return duty_wait(&responder->duty);
}

int
responder_run(const struct settings *settings, const struct responder_config *config)
{
	struct responder responder;
	struct failure why = { 0 };

	if (!responder_open(&responder, settings, config, &why)) {
		log_event("responder-failed", why.detail, "%s", "");
		return EXIT_ENVIRONMENT;
	}
	while (responder.requests_left > 0) {
		if (!duty_goes_on(&responder.duty) && wait_for_duty(&responder) == DUTY_LEAVE) {
			if (config->drain == -1 || server_is_draining(&responder.server))
				serve_backlog(&responder);
			break;
		}
		if (serve_one(&responder) == FASTCGI_BROKEN) {
			log_event("accept-failed", NULL, "%s", "");
			responder_close(&responder);
			return EXIT_ENVIRONMENT;
		}
	}
	responder_close(&responder);
	return 0;
}
