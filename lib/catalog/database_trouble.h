/*
 * database_trouble - what the error numbers of servers and connector mean to us.
 */
#ifndef CATALOG_DATABASE_TROUBLE_H
#define CATALOG_DATABASE_TROUBLE_H

#include "catalog/database.h"

/* error is not 0. */
enum database_trouble database_trouble_of(unsigned error);

/* The statement ran out of the time that the server allows it. */
bool database_error_is_timeout(unsigned error);

/* The server undid this statement in favour of another transaction. */
bool database_error_is_deadlock(unsigned error);

/* The prepared statement is void; the connection is not. */
bool database_error_wants_prepare(unsigned error);

#endif
