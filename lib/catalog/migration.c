#include "catalog/migration.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_BYTES_MAX = 256 * 1024, NUMBER_DIGITS = 4, NAME_MAX_BYTES = 100 };

/* Another migration of a large table may take its time; longer, and somebody should look. */
#define LOCK_SECONDS_TEXT "60"

static const char lock_statement[] =
    "SELECT GET_LOCK(CONCAT('vitrine_migration ', DATABASE()), " LOCK_SECONDS_TEXT ")";
static const char applied_statement[] = "SELECT name, checksum FROM vitrine_migration ORDER BY name";
static const char record_statement[] =
    "INSERT INTO vitrine_migration (name, checksum, applied) VALUES (?, ?, UNIX_TIMESTAMP())";
static const char create_script[] =
    "CREATE TABLE IF NOT EXISTS vitrine_migration ("
    " name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,"
    " checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file',"
    " applied BIGINT NOT NULL COMMENT 'Unix seconds'"
    ") ENGINE = InnoDB COMMENT = 'which steps of sql/ this database has had'";

struct applied_step {
	struct applied_step *next;
	const char *name, *checksum;
};

struct migration {
	const char *folder;
	struct database *database;
	struct arena *arena;
	struct applied_step *applied;
	const char *last_applied;	/* the highest name of them */
	struct deadline deadline;
};

/* ---- the folder ---------------------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* NNNN-name.sql */
static bool
is_step_name(const char *name)
{
	size_t length = strlen(name);

	if (length <= NUMBER_DIGITS + 1 + strlen(".sql") || length > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < NUMBER_DIGITS; i++)
		if (!is_digit(name[i]))
			return false;
	for (size_t i = NUMBER_DIGITS; i < length - strlen(".sql"); i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !is_digit(name[i]) && name[i] != '-')
			return false;
	return name[NUMBER_DIGITS] == '-' && strcmp(name + length - strlen(".sql"), ".sql") == 0;
}

static int
is_sql_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > strlen(".sql") && entry->d_name[0] != '.' &&
	    strcmp(entry->d_name + length - strlen(".sql"), ".sql") == 0;
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct folder {
	struct dirent **entries;
	int count;
};

static void
folder_release(void *object)
{
	struct folder *folder = object;

	for (int i = 0; i < folder->count; i++)
		free(folder->entries[i]);
	free(folder->entries);
}

/* In order; every name is good and no number is there twice. */
static bool
folder_read(const struct migration *migration, struct folder *folder, struct failure *why)
{
	folder->count = scandir(migration->folder, &folder->entries, is_sql_file, compare_names);
	if (folder->count == -1) {
		folder->count = 0;
		return fail(why, FAIL_INTERNAL, "cannot read the folder %s: %s", migration->folder, strerror(errno));
	}
	if (folder->count == 0)
		return fail(why, FAIL_INTERNAL, "there are no steps in %s", migration->folder);
	for (int i = 0; i < folder->count; i++) {
		const char *name = folder->entries[i]->d_name;

		if (!is_step_name(name))
			return fail(why, FAIL_INTERNAL, "%s/%s: want a name like 0001-asset.sql", migration->folder,
			    name);
		if (i > 0 && strncmp(folder->entries[i - 1]->d_name, name, NUMBER_DIGITS) == 0)
			return fail(why, FAIL_INTERNAL, "%s and %s have the same number",
			    folder->entries[i - 1]->d_name, name);
	}
	return true;
}

/* ---- the database -------------------------------------------------------------------- */

static bool
take_lock_answer(void *state, const struct database_row *row)
{
	bool *is_locked = state;

	*is_locked = row->columns[0].type == DATABASE_INTEGER && row->columns[0].integer == 1;
	return false;
}

/* The lock goes when the connection does. */
static bool
lock(const struct migration *migration, struct failure *why)
{
	enum database_trouble trouble;
	bool is_locked = false;

	if (!database_execute(migration->database, lock_statement, NULL, 0, take_lock_answer, &is_locked,
	    migration->arena, NULL, migration->deadline, &trouble, why))
		return false;
	if (!is_locked)
		return fail(why, FAIL_BUSY, "another migration has been running for " LOCK_SECONDS_TEXT " s");
	return true;
}

static bool
take_applied(void *state, const struct database_row *row)
{
	struct migration *migration = state;
	struct applied_step *step = arena_alloc(migration->arena, sizeof(*step));

	*step = (struct applied_step){
		migration->applied, row->columns[0].text.at, row->columns[1].text.at
	};
	migration->applied = step;
	migration->last_applied = step->name;
	return true;
}

static bool
read_applied(struct migration *migration, struct failure *why)
{
	enum database_trouble trouble;

	return database_run_script(migration->database, create_script, migration->deadline, &trouble, why) &&
	    database_execute(migration->database, applied_statement, NULL, 0, take_applied, migration,
	    migration->arena, NULL, migration->deadline, &trouble, why);
}

static const struct applied_step *
find_applied(const struct migration *migration, const char *name)
{
	for (const struct applied_step *step = migration->applied; step != NULL; step = step->next)
		if (strcmp(step->name, name) == 0)
			return step;
	return NULL;
}

/* ---- the steps ----------------------------------------------------------------------- */

static bool
apply(const struct migration *migration, const char *name, const char *script, const char *checksum,
    struct failure *why)
{
	struct database_value values[] = {
		{ .type = DATABASE_TEXT, .text = span_of(name) },
		{ .type = DATABASE_TEXT, .text = span_of(checksum) }
	};
	struct failure cause = { 0 };
	enum database_trouble trouble;

	if (!database_run_script(migration->database, script, migration->deadline, &trouble, &cause))
		return fail(why, cause.kind, "%s: %.200s", name, cause.detail);
	return database_execute(migration->database, record_statement, values, 2, NULL, NULL,
	    migration->arena, NULL, migration->deadline, &trouble, why);
}

/* *is_new says whether it had to be applied. */
static bool
run_step(const struct migration *migration, const char *name, bool *is_new, struct failure *why)
{
	const struct applied_step *earlier = find_applied(migration, name);
	unsigned char digest[SHA256_BYTES];
	char checksum[SHA256_HEX + 1];
	char *script;
	size_t length;

	if (!file_read_small(migration->arena, arena_printf(migration->arena, "%s/%s", migration->folder, name),
	    STEP_BYTES_MAX, &script, &length, why))
		return false;
	sha256(script, length, digest);
	hex_print(digest, sizeof(digest), checksum);
	*is_new = earlier == NULL;
	if (earlier != NULL && strcmp(earlier->checksum, checksum) != 0)
		return fail(why, FAIL_INTERNAL, "%s/%s was changed after it was applied", migration->folder, name);
	if (earlier != NULL)
		return true;
	if (migration->last_applied != NULL && strcmp(name, migration->last_applied) < 0)
		return fail(why, FAIL_INTERNAL, "%s/%s is new but comes before %s, which was applied",
		    migration->folder, name, migration->last_applied);
	return apply(migration, name, script, checksum, why);
}

static bool
run_steps(struct migration *migration, void (*applied)(void *state, const char *name), void *state,
    struct failure *why)
{
	struct folder *folder = arena_alloc(migration->arena, sizeof(*folder));

	arena_defer(migration->arena, folder_release, folder);
	if (!folder_read(migration, folder, why) || !lock(migration, why) || !read_applied(migration, why))
		return false;
	for (int i = 0; i < folder->count; i++) {
		bool is_new;

		if (!run_step(migration, folder->entries[i]->d_name, &is_new, why))
			return false;
		if (is_new)
			applied(state, folder->entries[i]->d_name);
	}
	return true;
}

bool
migration_run(const struct database_config *primary, const char *folder, struct deadline deadline,
    void (*applied)(void *state, const char *name), void *state, struct failure *why)
{
	struct database_config patient = *primary;
	struct resolver resolver = { 0 };
	struct migration migration = { .folder = folder, .deadline = deadline };
	enum database_trouble trouble;
	bool is_done;

	/* A step may copy a large table: only the deadline limits it. */
	patient.query_timeout_ms = (unsigned)deadline_left_ms(deadline);
	migration.database = database_open(&patient, &resolver, deadline, &trouble, why);
	resolver_release(&resolver);
	if (migration.database == NULL)
		return false;
	migration.arena = arena_new();
	is_done = run_steps(&migration, applied, state, why);
	arena_free(migration.arena);
	database_close(migration.database);
	return is_done;
}
