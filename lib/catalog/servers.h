/*
 * servers - the primary and its replicas: connections, and who is left alone.
 *
 * Each server has at most one connection, opened when first needed and replaced
 * after a maximum age.  A server that failed is left alone until its breaker lets
 * somebody try, and asking it fails at once.  Reading starts at a replica chosen by
 * chance for each process and stays there while it is well; when its connection has
 * reached its age, chance chooses again, so that a replica that came back gets its share.
 *
 * A primary that takes no writes may have a successor behind the same name: it is
 * connected to anew, its name resolved again, before its refusal is passed on.
 *
 * A timeout that comes from the caller's own short deadline is not held
 * against the server; the connection is lost all the same.
 */
#ifndef CATALOG_SERVERS_H
#define CATALOG_SERVERS_H

#include "catalog/catalog.h"
#include "catalog/database.h"

enum { SERVER_PRIMARY = -1 };	/* replicas are 0, 1, ... */

struct server {
	const struct database_config *config;
	struct breaker *breaker, *lagging;	/* lagging: of replicas */
	struct resolver resolver;
	struct failure last_trouble;	/* that opened the breaker, if this process did */
	struct database *database;
	struct deadline replace_at, may_be_renewed_at;
	bool needs_alternative;		/* see struct query; since it was connected */
};

struct servers {
	struct server primary, replicas[CATALOG_REPLICAS_MAX];
	unsigned replica_count;
	unsigned reader;	/* the replica to be asked first */
	unsigned retry_after_ms, connection_age_s;
};

/*
 * A statement with its parameters, and who gets the rows; see database_execute().
 *
 * alternative	is asked where the statement is refused, because the server does not
 *		have what it wants; NULL: none
 * is_current	of the state, after a replica's answer: false says that this replica
 *		lags, and the next one is asked; NULL: whoever answers will do
 */
struct query {
	const char *statement, *alternative;
	const struct database_value *parameters;
	unsigned parameter_count;
	bool (*each)(void *state, const struct database_row *row);
	bool (*is_current)(void *state);
	void *state;
	struct arena *arena;
};

/* The configuration must outlive the servers; its health is not NULL. */
void servers_init(struct servers *servers, const struct catalog_config *config);
void servers_release(struct servers *servers);

bool servers_is_left_alone(const struct servers *servers, int index);
bool servers_is_lagging(const struct servers *servers, int index);

/* Asks this server, even one that is left alone. */
bool servers_ask(struct servers *servers, int index, const struct query *query, uint64_t *affected,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why)
    __attribute__((warn_unused_result));

/* Asks the primary; DATABASE_LOST at once while it is left alone.  When it says
 * DATABASE_READ_ONLY over an old connection it is asked once more over a new one. */
bool servers_ask_primary(struct servers *servers, const struct query *query, uint64_t *affected,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why)
    __attribute__((warn_unused_result));

/* The primary does not take writes: whether its connection was given up, and is
 * worth opening anew.  Only so often: this may be how it is meant to be. */
bool servers_renew_primary(struct servers *servers);

/* Asks replicas that are not left alone, one after another, until one answers and
 * is current.  False when none did: *why has the last reason, or nothing when there
 * was nobody to ask. */
bool servers_ask_replica(struct servers *servers, const struct query *query, struct deadline deadline,
    struct failure *why) __attribute__((warn_unused_result));

#endif
