#include "fcgi-app/serve_operations.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PROBE_MS = 1000,	/* for each dependency that ?require= names */
	RENDERER_PROBE_MS = 300,
	PROBES_AT_ONCE = 2,
	BODY_MAX = 4096
};

struct health {
	struct deadline deadline;	/* of the request */
	struct text body;
	bool is_good;
	unsigned parts;
};

static void
report(struct health *health, const char *part, bool is_good, const char *trouble)
{
	text_printf(&health->body, "%s\"%s\":\"%s\"", health->parts++ > 0 ? "," : "", part,
	    is_good ? "ok" : trouble);
	health->is_good &= is_good;
}

static void
report_store(struct server *server, struct health *health)
{
	struct failure why = { 0 };

	report(health, "store", store_probe(server->store, &why), "cannot be written");
}

/* An empty file is no image: the renderer that says so is alive.  All of them
 * may be busy for longer than we wait; then one must have answered a job lately,
 * which those that are dead or stuck have not. */
static void
report_renderer(struct server *server, struct health *health)
{
	struct job job = {
		.operation = JOB_DESCRIBE,
		.recipe = "-",
		.overlays = "-",
		.limits = { 1, 1, 1, 1 },
		.timeout_ms = RENDERER_PROBE_MS,
	};
	struct failure why = { 0 };
	struct job_result result;
	int empty = memfd_create("probe", MFD_CLOEXEC);
	const struct job_files files = { .input = empty, .output = -1, .mark = -1 };
	bool is_good = empty != -1 &&
	    (server_try_renderer(server, &job, &files, deadline_in_ms(RENDERER_PROBE_MS), &result, &why) ||
	    why.kind == FAIL_UNSUPPORTED);

	if (!is_good && (why.kind == FAIL_TIMEOUT || why.kind == FAIL_BUSY))
		is_good = server_renderer_answered_within_ms(server, server->settings->render.timeout_ms);
	report(health, "renderer", is_good, "does not answer");
	if (empty != -1)
		close(empty);
}

static void
report_database(struct server *server, struct health *health)
{
	struct catalog_server_state state = { 0 };

	for (int i = (int)server->settings->catalog.replica_count - 1; i >= -1 && !state.answers; i--)
		catalog_probe(server->catalog, i, deadline_within_ms(health->deadline, PROBE_MS), &state);
	report(health, "database", state.answers, "no server answers");
}

static void
report_database_write(struct server *server, struct health *health)
{
	struct catalog_server_state state = { 0 };

	catalog_probe(server->catalog, -1, deadline_within_ms(health->deadline, PROBE_MS), &state);
	report(health, "database-write", state.answers && state.takes_writes,
	    state.answers ? "the primary is read-only" : "the primary does not answer");
}

static void
report_memcached(struct server *server, struct health *health)
{
	unsigned configured, alive;

	peers_count(server->peers, &configured, &alive);
	report(health, "memcached", alive == configured, "a peer does not answer");
}

static void
report_s3(struct server *server, struct health *health)
{
	bool is_good = true;

	for (unsigned i = 0; i < server->settings->origin_count; i++) {
		struct failure why = { 0 };

		is_good &= origin_probe(server->origins[i], deadline_within_ms(health->deadline, PROBE_MS), &why);
	}
	report(health, "s3", is_good, "an origin does not answer");
}

/* The value of "require" in the query, or nothing. */
static struct span
required(struct span query)
{
	while (query.at != NULL) {
		struct span pair = span_cut(&query, '&');

		if (span_starts_with(pair, "require="))
			return span_range(pair.at + 8, pair.length - 8);
	}
	return span_range(NULL, 0);
}

static const struct dependency {
	const char *name;
	void (*report)(struct server *server, struct health *health);
} dependencies[] = {
	{ "database", report_database },
	{ "database-write", report_database_write },
	{ "memcached", report_memcached },
	{ "s3", report_s3 },
};

enum { DEPENDENCY_COUNT = sizeof(dependencies) / sizeof(dependencies[0]) };

/* "database,s3" as a set, so that each is asked once. */
static bool
parse_required(struct span names, bool wanted[DEPENDENCY_COUNT], struct failure *why)
{
	while (names.at != NULL) {
		struct span name = span_cut(&names, ',');
		unsigned i = 0;

		while (i < DEPENDENCY_COUNT && !span_equals(name, dependencies[i].name))
			i++;
		if (i == DEPENDENCY_COUNT)
			return fail(why, FAIL_BAD_REQUEST, "require takes database, database-write, memcached and s3");
		wanted[i] = true;
	}
	return true;
}

/* A dependency that hangs costs a second each: only a few responders at a time
 * may spend that, the others have pictures to serve. */
static void
report_required(struct server *server, const bool wanted[DEPENDENCY_COUNT], struct health *health)
{
	struct store_lock place;
	bool has_place = store_take_place(server->store, LANE_PROBE, PROBES_AT_ONCE, &place);

	for (unsigned i = 0; i < DEPENDENCY_COUNT; i++) {
		if (wanted[i] && has_place)
			dependencies[i].report(server, health);
		else if (wanted[i])
			report(health, dependencies[i].name, false, "not asked, too many ask already");
	}
	if (has_place)
		store_unlock(&place);
}

void
serve_health(struct server *server, struct request *request, struct response *response)
{
	struct health health = { .is_good = true, .deadline = request->deadline };
	bool wanted[DEPENDENCY_COUNT] = { false };
	struct failure why = { 0 };

	if (!parse_required(required(request->query), wanted, &why)) {
		response_failure(response, request, &server->settings->http, &why);
		return;
	}
	text_init(&health.body, request->arena, BODY_MAX);
	text_add(&health.body, "{\"parts\":{");
	report(&health, "serving", !server_is_draining(server), "draining");
	report_store(server, &health);
	report_renderer(server, &health);
	report_required(server, wanted, &health);
	text_printf(&health.body, "},\"status\":\"%s\"}\n", health.is_good ? "ok" : "failing");
	response_text(response, request->arena, health.is_good ? 200 : 503, "application/json",
	    text_span(&health.body));
	response_add_header(response, "Cache-Control", "no-store");
	if (!health.is_good)
		response->reason = arena_copy_string(request->arena, health.body.at);
}
