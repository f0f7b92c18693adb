/*
 * database - one connection to one MySQL or MariaDB server, with an end to
 * every wait.
 *
 * The only file that includes mysql.h is database.c.  All calls take the
 * request's deadline and use the connector's non-blocking interface, because
 * its own timeouts count whole seconds for each wait.  A connection that failed in any way
 * is closed; the caller opens another.  Connections are opened after fork.
 *
 * Statements are prepared once per connection and bound by position.
 */
#ifndef CATALOG_DATABASE_H
#define CATALOG_DATABASE_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/failure.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { DATABASE_PARAMETERS_MAX = 32, DATABASE_COLUMNS_MAX = 40, DATABASE_STATEMENTS_MAX = 32 };

struct database_config {
	const char *host;		/* name, address, or the path of a unix socket */
	unsigned port;
	const char *name, *user, *password;
	const char *tls_ca;		/* path; when set, TLS is required and the server's name verified */
	unsigned connect_timeout_ms;
	unsigned query_timeout_ms;
};

enum database_type { DATABASE_NULL, DATABASE_INTEGER, DATABASE_DOUBLE, DATABASE_TEXT };

struct database_value {
	enum database_type type;
	int64_t integer;
	double real;
	struct span text;	/* of a result: in the arena, NUL-terminated */
};

struct database_row {
	struct database_value columns[DATABASE_COLUMNS_MAX];
	unsigned column_count;
};

/* Why a statement did not work, as far as callers act on it. */
enum database_trouble {
	DATABASE_FINE,
	DATABASE_LOST,		/* unreachable, refused, timed out, gone: try another server */
	DATABASE_READ_ONLY,	/* this server takes no writes (demoted primary) */
	DATABASE_DUPLICATE,	/* unique key */
	DATABASE_REFUSED	/* wrong password, missing table, bad statement: configuration */
};

struct database;

/* FAIL_UNAVAILABLE or FAIL_TIMEOUT, with the server's host and port in the detail. */
struct database *database_open(const struct database_config *config, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why) __attribute__((warn_unused_result));
void database_close(struct database *database);

/* One statement with its parameters ("?").  Rows, if any, go to each();
 * returning false from it stops the reading without a failure.  affected may
 * be NULL. */
bool database_execute(struct database *database, const char *statement,
    const struct database_value *parameters, unsigned parameter_count,
    bool (*each)(void *state, const struct database_row *row), void *state,
    struct arena *arena, uint64_t *affected, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why) __attribute__((warn_unused_result));

/* Text protocol, for migrations: several statements, no parameters, no rows. */
bool database_run_script(struct database *database, const char *script, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why) __attribute__((warn_unused_result));

#endif
