#include "catalog/database_trouble.h"

#include <errmsg.h>
#include <mysqld_error.h>

/* Numbers that only one of MariaDB and MySQL has, so that either's header will do. */
enum {
	MARIADB_STATEMENT_TIMEOUT = 1969,
	MARIADB_CONNECTION_KILLED = 1927,
	MYSQL_QUERY_TIMEOUT = 3024,
	MYSQL_CLIENT_INTERACTION_TIMEOUT = 4031
};

/* The connector's own errors are all "no answer from this server", except what
 * another attempt will not change. */
static enum database_trouble
trouble_of_connector(unsigned error)
{
	switch (error) {
	case CR_SSL_CONNECTION_ERROR:
	case CR_AUTH_PLUGIN_CANNOT_LOAD:
	case CR_AUTH_PLUGIN_ERR:
	case CR_CANT_READ_CHARSET:
	case CR_UNSUPPORTED_PARAM_TYPE:
	case CR_PARAMS_NOT_BOUND:
		return DATABASE_REFUSED;
	default:
		return DATABASE_LOST;
	}
}

enum database_trouble
database_trouble_of(unsigned error)
{
	if (error >= CR_MIN_ERROR && error <= CR_MYSQL_LAST_ERROR)
		return trouble_of_connector(error);
	if (database_error_is_timeout(error) || database_error_is_deadlock(error))
		return DATABASE_LOST;
	switch (error) {
	case ER_DUP_ENTRY:
	case ER_DUP_ENTRY_WITH_KEY_NAME:
		return DATABASE_DUPLICATE;
	case ER_OPTION_PREVENTS_STATEMENT:	/* --read-only */
	case ER_READ_ONLY_MODE:
	case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
		return DATABASE_READ_ONLY;
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_USER_LIMIT_REACHED:
	case ER_OUT_OF_RESOURCES:
	case ER_SERVER_SHUTDOWN:
	case ER_NORMAL_SHUTDOWN:
	case ER_QUERY_INTERRUPTED:
	case MARIADB_CONNECTION_KILLED:
	case MYSQL_CLIENT_INTERACTION_TIMEOUT:
		return DATABASE_LOST;
	default:
		return DATABASE_REFUSED;
	}
}

bool
database_error_is_timeout(unsigned error)
{
	return error == MARIADB_STATEMENT_TIMEOUT || error == MYSQL_QUERY_TIMEOUT;
}

bool
database_error_is_deadlock(unsigned error)
{
	return error == ER_LOCK_WAIT_TIMEOUT || error == ER_LOCK_DEADLOCK;
}

bool
database_error_wants_prepare(unsigned error)
{
	return error == ER_UNKNOWN_STMT_HANDLER || error == ER_NEED_REPREPARE;
}
