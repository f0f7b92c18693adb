/*
 * The only file that includes mysql.h: MariaDB Connector/C 3.3 or later.
 *
 * Every call that talks to the server has the shape start, wait, continue; the
 * macro AWAIT is that shape.  When the deadline passes in the middle, the
 * socket is shut down and the call is continued once more: the connector then
 * runs into an error and unwinds by itself, so nothing is left suspended and
 * closing has nobody to wait for.
 */
#include "catalog/database.h"

#include "base/check.h"
#include "catalog/database_trouble.h"

#include <mysql.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct prepared {
	const char *text;
	MYSQL_STMT *handle;
};

struct database {
	MYSQL *connection;
	const struct database_config *config;
	struct prepared prepared[DATABASE_STATEMENTS_MAX];
	unsigned prepared_count;
	bool is_lost;
	bool has_timed_out;
};

/* ---- waiting ----------------------------------------------------------------------- */

static void
hang_up(struct database *database)
{
	int fd = mysql_get_socket(database->connection);

	if (fd != -1)
		shutdown(fd, SHUT_RDWR);
}

/* Waits for what the connector wants to see on its socket; tells it what there is. */
static int
wait_for(struct database *database, int wanted, struct deadline deadline)
{
	struct pollfd socket = {
		.fd = mysql_get_socket(database->connection),
		.events = (short)((wanted & MYSQL_WAIT_READ ? POLLIN : 0) |
		    (wanted & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
		    (wanted & MYSQL_WAIT_EXCEPT ? POLLPRI : 0))
	};

	while (!database->has_timed_out) {
		int found = poll(&socket, 1, deadline_left_ms(deadline));

		if (found == -1)
			CHECK(errno == EINTR);
		if (found == 1)
			/* An error shows itself when the connector reads or writes. */
			return socket.revents & (POLLERR | POLLHUP | POLLNVAL) ? wanted & ~MYSQL_WAIT_TIMEOUT :
			    (socket.revents & POLLIN ? MYSQL_WAIT_READ : 0) |
			    (socket.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
			    (socket.revents & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
		database->has_timed_out = deadline_has_passed(deadline);
	}
	hang_up(database);
	return MYSQL_WAIT_TIMEOUT;
}

/* *result = CALL(object, ...), by way of CALL_start and CALL_cont. */
#define AWAIT(database, deadline, call, result, object, ...) \
	do { \
		int wanted_ = call##_start(result, object __VA_OPT__(,) __VA_ARGS__); \
		while (wanted_ != 0) \
			wanted_ = call##_cont(result, object, wait_for(database, wanted_, deadline)); \
	} while (0)

/* ---- failing ----------------------------------------------------------------------- */

/* Fills *trouble and *why from the error of the connection or of a statement. */
static bool
give_up(struct database *database, const char *doing, unsigned error, const char *message,
    enum database_trouble *trouble, struct failure *why)
{
	const struct database_config *config = database->config;
	bool was_late = database->has_timed_out || database_error_is_timeout(error);
	enum failure_kind kind = FAIL_UNAVAILABLE;

	*trouble = database->has_timed_out ? DATABASE_LOST : database_trouble_of(error);
	if (*trouble == DATABASE_LOST)
		database->is_lost = true;
	if (was_late)
		kind = FAIL_TIMEOUT;
	else if (*trouble == DATABASE_DUPLICATE)
		return fail(why, FAIL_BAD_REQUEST, "duplicate");
	return fail(why, kind, "%s:%u: %s: %s (%u)", config->host, config->port, doing,
	    database->has_timed_out ? "no answer in time" : message, error);
}

static bool
give_up_connection(struct database *database, const char *doing, enum database_trouble *trouble,
    struct failure *why)
{
	return give_up(database, doing, mysql_errno(database->connection),
	    mysql_error(database->connection), trouble, why);
}

/* For what the connector cannot know: the answer makes no sense to us. */
static bool
refuse(struct database *database, enum database_trouble *trouble, struct failure *why, const char *reason)
{
	*trouble = DATABASE_REFUSED;
	return fail(why, FAIL_UNAVAILABLE, "%s:%u: %s", database->config->host, database->config->port,
	    reason);
}

/* ---- connecting -------------------------------------------------------------------- */

static bool
wants_tls(const struct database_config *config)
{
	return config->tls_ca != NULL && config->tls_ca[0] != '\0';
}

static void
set_options(MYSQL *connection, const struct database_config *config)
{
	const my_bool off = 0, verify = wants_tls(config);
	const unsigned no_local_infile = 0;

	/* Signatures say void or const void, depending on the version; none of these can fail. */
	mysql_options(connection, MYSQL_OPT_NONBLOCK, 0);
	mysql_options(connection, MYSQL_OPT_RECONNECT, &off);
	mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &no_local_infile);
	mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* Encryption is only enforced by verifying: without that, connector 3.3
	 * goes on in the clear with a server that offers no TLS. */
	mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (verify)
		mysql_options(connection, MYSQL_OPT_SSL_CA, config->tls_ca);
}

/* address: of the server, or the path of its socket. */
static bool
log_in(struct database *database, const char *address, struct deadline deadline, enum database_trouble *trouble,
    struct failure *why)
{
	const struct database_config *config = database->config;
	bool is_path = address[0] == '/';
	MYSQL *connected = NULL;

	/* In a host name the connector takes these for a list of hosts or of options. */
	if (strpbrk(address, ",;=") != NULL)
		return refuse(database, trouble, why, "not the name of one host");
	AWAIT(database, deadline, mysql_real_connect, &connected, database->connection,
	    is_path ? NULL : address, config->user, config->password, config->name, config->port,
	    is_path ? address : NULL, CLIENT_FOUND_ROWS);
	if (connected == NULL || database->has_timed_out)
		return give_up_connection(database, "connect", trouble, why);
	fcntl(mysql_get_socket(database->connection), F_SETFD, FD_CLOEXEC);
	if (wants_tls(config) && mysql_get_ssl_cipher(database->connection) == NULL)
		return refuse(database, trouble, why, "the connection is not encrypted");
	return true;
}

static bool
run_query(struct database *database, const char *query, struct deadline deadline)
{
	int result = -1;

	AWAIT(database, deadline, mysql_real_query, &result, database->connection, query, strlen(query));
	return result == 0;
}

/* What must not depend on how somebody has configured the server. */
static bool
set_session(struct database *database, struct deadline deadline, enum database_trouble *trouble,
    struct failure *why)
{
	unsigned limit_ms = database->config->query_timeout_ms;
	char limit[80];

	if (!run_query(database, "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
	    "time_zone = '+00:00'", deadline))
		return give_up_connection(database, "set session", trouble, why);
	/* MariaDB counts seconds and means every statement, MySQL milliseconds and only SELECT. */
	if (mariadb_connection(database->connection))
		snprintf(limit, sizeof(limit), "SET SESSION max_statement_time = %u.%03u", limit_ms / 1000,
		    limit_ms % 1000);
	else
		snprintf(limit, sizeof(limit), "SET SESSION max_execution_time = %u", limit_ms);
	if (!run_query(database, limit, deadline) &&
	    (database->has_timed_out ||
	    database_trouble_of(mysql_errno(database->connection)) == DATABASE_LOST))
		return give_up_connection(database, "set time limit", trouble, why);
	return true;	/* an old server may not know these limits; ours holds anyway */
}

static struct database *
open_at(const struct database_config *config, const char *address, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why)
{
	struct database *database = calloc(1, sizeof(*database));

	CHECK(database != NULL);
	database->config = config;
	database->connection = mysql_init(NULL);
	CHECK(database->connection != NULL);
	set_options(database->connection, config);
	*trouble = DATABASE_FINE;
	if (log_in(database, address, deadline, trouble, why) && set_session(database, deadline, trouble, why))
		return database;
	database->is_lost = true;
	database_close(database);
	return NULL;
}

struct database *
database_open(const struct database_config *config, struct resolver *resolver, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why)
{
	struct database *database = NULL;
	struct addresses addresses;

	deadline = deadline_within_ms(deadline, config->connect_timeout_ms);
	if (config->host[0] == '/')
		return open_at(config, config->host, deadline, trouble, why);
	*trouble = DATABASE_LOST;
	if (!resolver_find(resolver, config->host, deadline, &addresses, why))
		return NULL;
	if (wants_tls(config))
		return open_at(config, config->host, deadline, trouble, why);
	for (unsigned i = 0; i < addresses.count && database == NULL && *trouble == DATABASE_LOST; i++) {
		int share_ms = deadline_left_ms(deadline) / (int)(addresses.count - i);

		failure_clear(why);
		database = open_at(config, addresses.texts[i], deadline_within_ms(deadline, share_ms), trouble, why);
	}
	return database;
}

void
database_close(struct database *database)
{
	if (database == NULL)
		return;
	/* The farewell is one small write, which an idle connection takes at once. */
	if (database->is_lost)
		hang_up(database);
	mysql_close(database->connection);
	/* After the connection, so that these only free memory. */
	for (unsigned i = 0; i < database->prepared_count; i++)
		mysql_stmt_close(database->prepared[i].handle);
	free(database);
}

bool
database_has_hung_up(const struct database *database)
{
	struct pollfd socket = { .fd = mysql_get_socket(database->connection), .events = POLLIN | POLLRDHUP };

	/* Nothing comes from a server that was asked nothing, but its farewell. */
	return database->is_lost || poll(&socket, 1, 0) != 0;
}

/* ---- statements -------------------------------------------------------------------- */

static struct prepared *
prepared_find(struct database *database, const char *text)
{
	for (unsigned i = 0; i < database->prepared_count; i++)
		if (database->prepared[i].text == text)
			return &database->prepared[i];
	CHECK(database->prepared_count < DATABASE_STATEMENTS_MAX);
	database->prepared[database->prepared_count] = (struct prepared){ text, NULL };
	return &database->prepared[database->prepared_count++];
}

static void
prepared_forget(struct database *database, struct prepared *prepared, struct deadline deadline)
{
	my_bool result;

	if (prepared->handle != NULL)
		AWAIT(database, deadline, mysql_stmt_close, &result, prepared->handle);
	*prepared = database->prepared[--database->prepared_count];
}

static bool
prepare(struct database *database, struct prepared *prepared, struct deadline deadline)
{
	int result = -1;

	if (prepared->handle != NULL)
		return true;
	prepared->handle = mysql_stmt_init(database->connection);
	CHECK(prepared->handle != NULL);
	AWAIT(database, deadline, mysql_stmt_prepare, &result, prepared->handle, prepared->text,
	    strlen(prepared->text));
	return result == 0;
}

static void
bind_parameters(MYSQL_STMT *handle, const struct database_value *values, unsigned count)
{
	MYSQL_BIND binds[DATABASE_PARAMETERS_MAX] = { 0 };

	CHECK(count <= DATABASE_PARAMETERS_MAX && mysql_stmt_param_count(handle) == count);
	for (unsigned i = 0; i < count; i++) {
		MYSQL_BIND *bind = &binds[i];

		switch (values[i].type) {
		case DATABASE_NULL:
			bind->buffer_type = MYSQL_TYPE_NULL;
			break;
		case DATABASE_INTEGER:
			bind->buffer_type = MYSQL_TYPE_LONGLONG;
			bind->buffer = (void *)&values[i].integer;
			break;
		case DATABASE_DOUBLE:
			bind->buffer_type = MYSQL_TYPE_DOUBLE;
			bind->buffer = (void *)&values[i].real;
			break;
		case DATABASE_TEXT:
			bind->buffer_type = MYSQL_TYPE_STRING;
			bind->buffer = (void *)values[i].text.at;
			bind->buffer_length = values[i].text.length;
			break;
		}
	}
	/* Copies the binds, not the values: they live as long as the caller waits. */
	CHECK(count == 0 || mysql_stmt_bind_param(handle, binds) == 0);
}

/* Prepares if need be and executes, to the point where the rows have come. */
static bool
execute_once(struct database *database, struct prepared *prepared,
    const struct database_value *parameters, unsigned parameter_count, struct deadline deadline)
{
	int result = -1;

	if (!prepare(database, prepared, deadline))
		return false;
	bind_parameters(prepared->handle, parameters, parameter_count);
	AWAIT(database, deadline, mysql_stmt_execute, &result, prepared->handle);
	if (result != 0)
		return false;
	if (mysql_stmt_field_count(prepared->handle) > 0)
		AWAIT(database, deadline, mysql_stmt_store_result, &result, prepared->handle);
	return result == 0;
}

/* ---- rows -------------------------------------------------------------------------- */

struct column_buffer {
	enum database_type type;
	int64_t integer;
	double real;
	char *bytes;
	unsigned long length;
	my_bool is_null, is_cut;
};

struct row_buffer {
	MYSQL_BIND binds[DATABASE_COLUMNS_MAX];
	struct column_buffer columns[DATABASE_COLUMNS_MAX];
	unsigned column_count;
};

static enum database_type
type_of(const MYSQL_FIELD *field)
{
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		return DATABASE_INTEGER;
	case MYSQL_TYPE_FLOAT:
	case MYSQL_TYPE_DOUBLE:
		return DATABASE_DOUBLE;
	case MYSQL_TYPE_NULL:
		return DATABASE_NULL;
	default:
		return DATABASE_TEXT;
	}
}

static void
bind_column(MYSQL_BIND *bind, struct column_buffer *column, const MYSQL_FIELD *field, struct arena *arena)
{
	column->type = type_of(field);
	switch (column->type) {
	case DATABASE_NULL:
		bind->buffer_type = MYSQL_TYPE_NULL;
		break;
	case DATABASE_INTEGER:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &column->integer;
		break;
	case DATABASE_DOUBLE:
		bind->buffer_type = MYSQL_TYPE_DOUBLE;
		bind->buffer = &column->real;
		break;
	case DATABASE_TEXT:
		bind->buffer_type = MYSQL_TYPE_STRING;
		bind->buffer_length = field->length < DATABASE_TEXT_MAX ? field->length : DATABASE_TEXT_MAX;
		bind->buffer = column->bytes = arena_alloc(arena, bind->buffer_length + 1);
		bind->length = &column->length;
		break;
	}
	bind->is_null = &column->is_null;
	bind->error = &column->is_cut;
}

static struct row_buffer *
bind_columns(MYSQL_STMT *handle, struct arena *arena)
{
	struct row_buffer *buffer = arena_alloc(arena, sizeof(*buffer));
	MYSQL_RES *description = mysql_stmt_result_metadata(handle);

	CHECK(description != NULL);
	buffer->column_count = mysql_num_fields(description);
	CHECK(buffer->column_count <= DATABASE_COLUMNS_MAX);
	for (unsigned i = 0; i < buffer->column_count; i++)
		bind_column(&buffer->binds[i], &buffer->columns[i],
		    mysql_fetch_field_direct(description, i), arena);
	mysql_free_result(description);
	CHECK(mysql_stmt_bind_result(handle, buffer->binds) == 0);
	return buffer;
}

static struct database_row *
copy_row(const struct row_buffer *buffer, struct arena *arena)
{
	struct database_row *row = arena_alloc(arena, sizeof(*row));

	row->column_count = buffer->column_count;
	for (unsigned i = 0; i < buffer->column_count; i++) {
		const struct column_buffer *column = &buffer->columns[i];
		struct database_value *value = &row->columns[i];

		value->type = column->is_null ? DATABASE_NULL : column->type;
		if (value->type == DATABASE_INTEGER)
			value->integer = column->integer;
		else if (value->type == DATABASE_DOUBLE)
			value->real = column->real;
		else if (value->type == DATABASE_TEXT)
			value->text = span_range(arena_copy_bytes(arena, column->bytes, column->length),
			    column->length);
	}
	return row;
}

static bool
visit_rows(struct database *database, MYSQL_STMT *handle,
    bool (*each)(void *state, const struct database_row *row), void *state, struct arena *arena,
    enum database_trouble *trouble, struct failure *why)
{
	struct row_buffer *buffer = bind_columns(handle, arena);
	int fetched;

	while ((fetched = mysql_stmt_fetch(handle)) == 0)
		if (each == NULL || !each(state, copy_row(buffer, arena)))
			return true;
	if (fetched == MYSQL_NO_DATA)
		return true;
	/* A column that is too long, or an integer that is no int64_t. */
	return refuse(database, trouble, why, fetched == MYSQL_DATA_TRUNCATED ?
	    "a value of the row does not fit" : mysql_stmt_error(handle));
}

bool
database_execute(struct database *database, const char *statement,
    const struct database_value *parameters, unsigned parameter_count,
    bool (*each)(void *state, const struct database_row *row), void *state, struct arena *arena,
    uint64_t *affected, struct deadline deadline, enum database_trouble *trouble, struct failure *why)
{
	struct prepared *prepared = prepared_find(database, statement);
	MYSQL_STMT *handle;
	bool is_done, is_good = true;

	CHECK(!database->is_lost);
	deadline = deadline_within_ms(deadline, database->config->query_timeout_ms);
	*trouble = DATABASE_FINE;
	is_done = execute_once(database, prepared, parameters, parameter_count, deadline);
	if (!is_done && !database->has_timed_out) {
		unsigned error = mysql_stmt_errno(prepared->handle);

		if (database_error_wants_prepare(error)) {
			prepared_forget(database, prepared, deadline);
			prepared = prepared_find(database, statement);
		}
		if (database_error_wants_prepare(error) || database_error_is_deadlock(error))
			is_done = execute_once(database, prepared, parameters, parameter_count, deadline);
	}
	handle = prepared->handle;
	if (!is_done) {
		give_up(database, "execute", mysql_stmt_errno(handle), mysql_stmt_error(handle), trouble, why);
		/* Whatever was wrong with it, the next caller starts afresh. */
		if (!database->is_lost)
			prepared_forget(database, prepared, deadline);
		return false;
	}
	if (affected != NULL)
		*affected = mysql_stmt_affected_rows(handle);
	if (mysql_stmt_field_count(handle) > 0) {
		is_good = visit_rows(database, handle, each, state, arena, trouble, why);
		/* The rows are here already: this frees memory and asks nobody. */
		mysql_stmt_free_result(handle);
	}
	return is_good;
}

/* ---- scripts ----------------------------------------------------------------------- */

static bool
drop_rows(struct database *database, struct deadline deadline)
{
	MYSQL_RES *rows = NULL;

	AWAIT(database, deadline, mysql_store_result, &rows, database->connection);
	mysql_free_result(rows);
	return mysql_errno(database->connection) == 0;
}

static bool
run_statements(struct database *database, const char *script, struct deadline deadline)
{
	int more = 0;

	if (!run_query(database, script, deadline))
		return false;
	do {
		if (!drop_rows(database, deadline))
			return false;
		AWAIT(database, deadline, mysql_next_result, &more, database->connection);
	} while (more == 0);
	return more == -1;	/* no more results, and no error */
}

static bool
allow_many_statements(struct database *database, bool on, struct deadline deadline)
{
	int result = -1;

	AWAIT(database, deadline, mysql_set_server_option, &result, database->connection,
	    on ? MYSQL_OPTION_MULTI_STATEMENTS_ON : MYSQL_OPTION_MULTI_STATEMENTS_OFF);
	return result == 0;
}

bool
database_run_script(struct database *database, const char *script, struct deadline deadline,
    enum database_trouble *trouble, struct failure *why)
{
	CHECK(!database->is_lost);
	*trouble = DATABASE_FINE;
	if (!allow_many_statements(database, true, deadline) ||
	    !run_statements(database, script, deadline) || !allow_many_statements(database, false, deadline)) {
		/* Results may be left over and several statements still allowed. */
		give_up_connection(database, "script", trouble, why);
		database->is_lost = true;
		return false;
	}
	return true;
}
