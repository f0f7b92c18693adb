/*
 * database - one connection to one MySQL or MariaDB server, with an end to
 * every wait.
 *
 * The only file that includes mysql.h is database.c.  All calls take the
 * request's deadline and use the connector's non-blocking interface, because
 * its own timeouts count whole seconds for each wait.  A connection that was lost is only
 * good for database_close(); the caller opens another.  Connections are opened after
 * fork, with signals blocked and SIGPIPE ignored.
 *
 * Statements are prepared once per connection and bound by position.  Each is a
 * transaction of its own.  Text is UTF-8, times are UTC, and what does not fit
 * a column is an error (strict mode), whatever the server's defaults are.
 *
 * A host name is looked up at every connecting, in bounded time (base/resolver.h), and
 * its addresses are tried one after another.
 *
 * BUGS: with tls_ca, whose certificate bears the name, the connector must be given the
 * name: it looks it up a second time, a moment after it was answered but without a limit
 * of its own, and goes to the next address only when one refuses.
 */
#ifndef CATALOG_DATABASE_H
#define CATALOG_DATABASE_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/failure.h"
#include "base/resolver.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	DATABASE_PARAMETERS_MAX = 32,
	DATABASE_COLUMNS_MAX = 40,
	DATABASE_STATEMENTS_MAX = 32,
	DATABASE_TEXT_MAX = 4096	/* bytes of one column */
};

struct database_config {
	const char *host;		/* name, address, or the path of a unix socket */
	unsigned port;
	const char *name, *user, *password;
	const char *tls_ca;		/* path; when set, TLS is required and the server's name verified */
	unsigned connect_timeout_ms;	/* until it takes statements: TCP, TLS and log-in */
	unsigned query_timeout_ms;	/* of one statement; the server gives up then as well */
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

/* NULL and FAIL_UNAVAILABLE or FAIL_TIMEOUT, with the server's host and port in the detail.
 * The resolver is that of this server's host. */
struct database *database_open(const struct database_config *config, struct resolver *resolver,
    struct deadline deadline, enum database_trouble *trouble, struct failure *why) __attribute__((warn_unused_result));
void database_close(struct database *database);

/* The server ended this connection while it was idle (it was restarted, or
 * tired of waiting): a look at the socket, no question to the server. */
bool database_has_hung_up(const struct database *database);

/*
 * One statement with its parameters ("?").  The statement is a constant: it is
 * remembered by its address.  Rows, if any, are read in full, then go to each()
 * one by one; returning false from it stops that without a failure.  each may be NULL
 * for statements without rows; affected may be NULL, and counts the rows that an
 * update found, changed or not.
 *
 * FAIL_BAD_REQUEST for DATABASE_DUPLICATE, FAIL_TIMEOUT, else FAIL_UNAVAILABLE.
 * The connection survives all troubles but DATABASE_LOST.  A deadlock is tried
 * once more before it counts as lost.  A column longer than DATABASE_TEXT_MAX
 * bytes is DATABASE_REFUSED.
 */
bool database_execute(struct database *database, const char *statement,
    const struct database_value *parameters, unsigned parameter_count,
    bool (*each)(void *state, const struct database_row *row), void *state,
    struct arena *arena, uint64_t *affected, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why) __attribute__((warn_unused_result));

/* Text protocol, for migrations: several statements, no parameters; rows are
 * dropped.  Only the deadline ends it early, and the server's own limit for one
 * statement, query_timeout_ms. */
bool database_run_script(struct database *database, const char *script, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why) __attribute__((warn_unused_result));

#endif
