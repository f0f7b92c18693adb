#include "catalog/servers.h"

#include "base/check.h"
#include "catalog/chance.h"

/* Who finds out whether a server is well again has others to ask, or should fail
 * soon: a trial gets a third of the time that connecting may take.  One that is well
 * needs a few milliseconds. */
enum { TRIAL_PART = 3 };

static struct server *
server_at(struct servers *servers, int index)
{
	CHECK(index >= SERVER_PRIMARY && index < (int)servers->replica_count);
	return index == SERVER_PRIMARY ? &servers->primary : &servers->replicas[index];
}

static void
choose_reader(struct servers *servers)
{
	if (servers->replica_count > 0)
		servers->reader = (unsigned)chance_below(servers->replica_count);
}

void
servers_init(struct servers *servers, const struct catalog_config *config)
{
	CHECK(config->replica_count <= CATALOG_REPLICAS_MAX);
	*servers = (struct servers){
		.primary.config = &config->primary,
		.primary.breaker = &config->health->primary,
		.replica_count = config->replica_count,
		.retry_after_ms = config->retry_after_ms,
		.connection_age_s = config->connection_age_s
	};
	for (unsigned i = 0; i < config->replica_count; i++) {
		servers->replicas[i].config = &config->replicas[i];
		servers->replicas[i].breaker = &config->health->replicas[i];
		servers->replicas[i].lagging = &config->health->lagging[i];
	}
	choose_reader(servers);
}

static void
disconnect(struct server *server)
{
	database_close(server->database);
	server->database = NULL;
	server->needs_alternative = false;
}

static void
server_release(struct server *server)
{
	disconnect(server);
	resolver_release(&server->resolver);
}

void
servers_release(struct servers *servers)
{
	for (int i = SERVER_PRIMARY; i < (int)servers->replica_count; i++)
		server_release(server_at(servers, i));
}

bool
servers_is_left_alone(const struct servers *servers, int index)
{
	/* Only looked at. */
	return breaker_is_open(server_at((struct servers *)servers, index)->breaker);
}

bool
servers_is_lagging(const struct servers *servers, int index)
{
	return index != SERVER_PRIMARY && breaker_is_open(server_at((struct servers *)servers, index)->lagging);
}

static bool
connect_to(struct servers *servers, struct server *server, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why)
{
	if (server->database != NULL &&
	    (deadline_has_passed(server->replace_at) || database_has_hung_up(server->database)))
		disconnect(server);
	if (server->database != NULL)
		return true;
	server->database = database_open(server->config, &server->resolver, deadline, trouble, why);
	server->replace_at = deadline_in_ms((int64_t)chance_around(servers->connection_age_s * 1000ULL));
	server->may_be_renewed_at = deadline_in_ms(servers->retry_after_ms);
	return server->database != NULL;
}

/* Whether the server had the time that its configuration grants. */
static bool
had_its_time(const struct server *server, struct deadline deadline)
{
	unsigned needed_ms = server->database == NULL ?
	    server->config->connect_timeout_ms : server->config->query_timeout_ms;

	return deadline_left_ms(deadline) >= (int)needed_ms;
}

/* Machines that lost it together do not come back together. */
static void
leave_alone(const struct servers *servers, struct server *server, const struct failure *why)
{
	server->last_trouble = *why;
	breaker_open(server->breaker, (unsigned)chance_around(servers->retry_after_ms));
}

static bool
may_be_asked(const struct servers *servers, struct server *server)
{
	return breaker_allows(server->breaker, servers->retry_after_ms);
}

static bool
execute(struct server *server, const char *statement, const struct query *query, uint64_t *affected,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why)
{
	return database_execute(server->database, statement, query->parameters, query->parameter_count,
	    query->each, query->state, query->arena, affected, deadline, trouble, why);
}

static bool
execute_what_it_takes(struct server *server, const struct query *query, uint64_t *affected,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why)
{
	if (query->alternative == NULL || !server->needs_alternative) {
		if (execute(server, query->statement, query, affected, deadline, trouble, why))
			return true;
		if (query->alternative == NULL || *trouble != DATABASE_REFUSED)
			return false;
		failure_clear(why);
	}
	server->needs_alternative = execute(server, query->alternative, query, affected, deadline, trouble, why);
	return server->needs_alternative;
}

static bool
execute_on(struct servers *servers, struct server *server, const struct query *query,
    uint64_t *affected, struct deadline deadline, enum database_trouble *trouble, struct failure *why)
{
	bool is_patient = breaker_is_open(server->breaker) || had_its_time(server, deadline);

	if (execute_what_it_takes(server, query, affected, deadline, trouble, why)) {
		breaker_close(server->breaker);
		failure_clear(&server->last_trouble);
		return true;
	}
	if (*trouble == DATABASE_LOST && (is_patient || why->kind != FAIL_TIMEOUT))
		leave_alone(servers, server, why);
	if (*trouble == DATABASE_LOST || *trouble == DATABASE_READ_ONLY)
		disconnect(server);
	return false;
}

bool
servers_ask(struct servers *servers, int index, const struct query *query, uint64_t *affected,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why)
{
	struct server *server = server_at(servers, index);
	bool is_patient;

	if (breaker_is_open(server->breaker))
		deadline = deadline_within_ms(deadline, server->config->connect_timeout_ms / TRIAL_PART);
	is_patient = breaker_is_open(server->breaker) || had_its_time(server, deadline);
	*trouble = DATABASE_LOST;
	if (deadline_has_passed(deadline))
		return fail(why, FAIL_TIMEOUT, "no time left to ask %s:%u", server->config->host,
		    server->config->port);
	if (connect_to(servers, server, deadline, trouble, why))
		return execute_on(servers, server, query, affected, deadline, trouble, why);
	if (is_patient || why->kind != FAIL_TIMEOUT)
		leave_alone(servers, server, why);
	return false;
}

static bool
refuse_for_now(const struct server *server, struct failure *why)
{
	if (server->last_trouble.kind != FAIL_NONE)
		return fail(why, FAIL_UNAVAILABLE, "%.200s, a moment ago", server->last_trouble.detail);
	return fail(why, FAIL_UNAVAILABLE, "%s:%u: failed a moment ago", server->config->host, server->config->port);
}

bool
servers_ask_primary(struct servers *servers, const struct query *query, uint64_t *affected,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why)
{
	bool was_connected = servers->primary.database != NULL;

	if (!deadline_has_passed(deadline) && !may_be_asked(servers, &servers->primary)) {
		*trouble = DATABASE_LOST;
		return refuse_for_now(&servers->primary, why);
	}
	if (servers_ask(servers, SERVER_PRIMARY, query, affected, deadline, trouble, why))
		return true;
	if (*trouble != DATABASE_READ_ONLY || !was_connected)
		return false;
	failure_clear(why);
	return servers_ask(servers, SERVER_PRIMARY, query, affected, deadline, trouble, why);
}

bool
servers_renew_primary(struct servers *servers)
{
	struct server *primary = &servers->primary;

	if (primary->database == NULL || !deadline_has_passed(primary->may_be_renewed_at))
		return false;
	disconnect(primary);
	return true;
}

/* Nobody has found lately that it lags; or somebody has, and this caller is to look again. */
static bool
is_worth_asking(const struct servers *servers, const struct server *replica, const struct query *query)
{
	return query->is_current == NULL || breaker_allows(replica->lagging, servers->retry_after_ms);
}

/* What it answered counts. */
static bool
is_good_enough(const struct servers *servers, const struct server *replica, const struct query *query)
{
	if (query->is_current == NULL)
		return true;
	if (query->is_current(query->state)) {
		breaker_close(replica->lagging);
		return true;
	}
	breaker_open(replica->lagging, servers->retry_after_ms);
	return false;
}

bool
servers_ask_replica(struct servers *servers, const struct query *query, struct deadline deadline,
    struct failure *why)
{
	enum database_trouble trouble;

	if (servers->replica_count == 0)
		return false;
	if (deadline_has_passed(servers->replicas[servers->reader].replace_at))
		choose_reader(servers);
	for (unsigned i = 0; i < servers->replica_count; i++) {
		unsigned index = (servers->reader + i) % servers->replica_count;

		struct server *replica = &servers->replicas[index];

		if (deadline_has_passed(deadline) || !is_worth_asking(servers, replica, query) ||
		    !may_be_asked(servers, replica))
			continue;
		failure_clear(why);
		if (servers_ask(servers, (int)index, query, NULL, deadline, &trouble, why) &&
		    is_good_enough(servers, replica, query)) {
			servers->reader = index;
			return true;
		}
	}
	return false;
}
