/*
 * migration - the numbered, forward-only steps of the schema.
 *
 * The files sql/NNNN-name.sql are applied in order, each once; the table
 * vitrine_migration remembers which, with the checksum of the file, so that an
 * edited step is noticed.  A lock in the database keeps two migrations apart.
 */
#ifndef CATALOG_MIGRATION_H
#define CATALOG_MIGRATION_H

#include "base/deadline.h"
#include "base/failure.h"
#include "catalog/database.h"

/* Applies what is missing; calls applied() after each step. */
bool migration_run(const struct database_config *primary, const char *folder,
    struct deadline deadline, void (*applied)(void *state, const char *name), void *state,
    struct failure *why) __attribute__((warn_unused_result));

#endif
