#include "fcgi-app/serve_operations.h"

#include "fcgi-app/slow_path.h"

#include <inttypes.h>

enum {
	BODY_MAX = 256 * 1024,
	PROBE_MS = 200		/* for each database server: a scrape must not hang on a dead one */
};

static void
print_gauge(struct text *out, const char *name, const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void
print_store(struct server *server, struct text *out)
{
	uint64_t bytes[STORE_PART_COUNT], limit[STORE_PART_COUNT];

	for (unsigned part = 0; part < STORE_PART_COUNT; part++)
		store_usage(server->store, part, &bytes[part], &limit[part]);
	print_gauge(out, "vitrine_store_bytes", "Bytes in the store.");
	for (unsigned part = 0; part < STORE_PART_COUNT; part++)
		text_printf(out, "vitrine_store_bytes{part=\"%s\"} %" PRIu64 "\n", store_part_name(part),
		    bytes[part]);
	print_gauge(out, "vitrine_store_limit_bytes", "Bytes the store may hold.");
	for (unsigned part = 0; part < STORE_PART_COUNT; part++)
		text_printf(out, "vitrine_store_limit_bytes{part=\"%s\"} %" PRIu64 "\n", store_part_name(part),
		    limit[part]);
}

static void
print_slow_path(struct server *server, struct text *out)
{
	struct slow_path_load load = slow_path_load(server);

	print_gauge(out, "vitrine_slow_requests", "Requests that fetch, render or wait for it.");
	text_printf(out, "vitrine_slow_requests %u\n", load.requests);
	print_gauge(out, "vitrine_slow_requests_limit", "How many there may be; more are refused with 503.");
	text_printf(out, "vitrine_slow_requests_limit %u\n", load.requests_max);
	print_gauge(out, "vitrine_slow_requests_waiting", "Those that wait for what another one makes.");
	text_printf(out, "vitrine_slow_requests_waiting %u\n", load.waiting);
	print_gauge(out, "vitrine_slow_requests_waiting_limit", "How many of them there may be.");
	text_printf(out, "vitrine_slow_requests_waiting_limit %u\n", load.waiting_max);
	print_gauge(out, "vitrine_render_backlog_seconds", "Estimated work of one core that is begun or waits.");
	text_printf(out, "vitrine_render_backlog_seconds %u.%03u\n", load.work_ms / 1000, load.work_ms % 1000);
	print_gauge(out, "vitrine_render_backlog_limit_seconds", "How much there may be; more is refused with 503.");
	text_printf(out, "vitrine_render_backlog_limit_seconds %u.%03u\n", load.work_max_ms / 1000,
	    load.work_max_ms % 1000);
}

static void
print_sandbox(struct server *server, struct text *out)
{
	const struct sandbox_parts *parts = &server->settings->render.sandbox;

	print_gauge(out, "vitrine_sandbox", "Whether this part of the renderers' sandbox is in force.");
	text_printf(out, "vitrine_sandbox{part=\"seccomp\"} %d\n", parts->has_seccomp);
	text_printf(out, "vitrine_sandbox{part=\"landlock\"} %d\n", parts->landlock_abi > 0);
}

static void
print_databases(struct server *server, struct text *out)
{
	const struct catalog_config *config = &server->settings->catalog;

	print_gauge(out, "vitrine_catalog_server_up", "Whether a database server answers.");
	for (int i = -1; i < (int)config->replica_count; i++) {
		const struct database_config *database = i == -1 ? &config->primary : &config->replicas[i];
		struct catalog_server_state state = { 0 };

		catalog_probe(server->catalog, i, deadline_in_ms(PROBE_MS), &state);
		text_printf(out, "vitrine_catalog_server_up{role=\"%s\",server=\"%s:%u\"} %d\n",
		    i == -1 ? "primary" : "replica", database->host, database->port, state.answers ? 1 : 0);
	}
}

static void
print_peers(struct server *server, struct text *out)
{
	unsigned configured, alive;

	peers_count(server->peers, &configured, &alive);
	print_gauge(out, "vitrine_peers", "Peers of the memcached ring.");
	text_printf(out, "vitrine_peers %u\n", configured);
	print_gauge(out, "vitrine_peers_alive", "Peers that answer.");
	text_printf(out, "vitrine_peers_alive %u\n", alive);
}

void
serve_metrics(struct server *server, struct request *request, struct response *response)
{
	struct text out;

	text_init(&out, request->arena, BODY_MAX);
	metrics_print(server->metrics, &out);
	print_store(server, &out);
	print_slow_path(server, &out);
	print_sandbox(server, &out);
	print_databases(server, &out);
	print_peers(server, &out);
	response_text(response, request->arena, 200, "text/plain; version=0.0.4; charset=utf-8", text_span(&out));
	response_add_header(response, "Cache-Control", "no-store");
}
