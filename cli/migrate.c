/*
 * migrate.c - brings the database's schema up to date.
 */
#include "catalog/migration.h"
#include "cli/command.h"
#include "cli/voice.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIGRATION_TIMEOUT_MS = 30 * 60 * 1000 };	/* a step may rewrite a table of millions of rows */

/* Relative to the folder of this program: as installed, as built. */
static const char *const sql_folders[] = { "../share/vitrine/sql", "../sql" };

static bool
is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) != -1 && S_ISDIR(status.st_mode);
}

/* NULL when there is none; the user has then been told. */
static const char *
find_sql_folder(struct arena *arena)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[length == -1 ? 0 : length] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (unsigned i = 0; i < sizeof(sql_folders) / sizeof(sql_folders[0]); i++) {
		const char *folder = arena_printf(arena, "%s/%s", self, sql_folders[i]);

		if (is_folder(folder))
			return folder;
	}
	complain("found no migrations in %s/%s or %s/%s: say --sql=DIR", self, sql_folders[0], self, sql_folders[1]);
	return NULL;
}

static void
print_applied(void *state, const char *name)
{
	unsigned *count = state;

	printf("applied %s\n", name);
	fflush(stdout);
	++*count;
}

static int
run_migrate(struct invocation *invocation)
{
	struct context *context = invocation->context;
	const char *folder = invocation_option(invocation, "sql");
	struct failure why = { 0 };
	unsigned count = 0;

	if (folder == NULL)
		folder = find_sql_folder(context->arena);
	if (folder == NULL)
		return EXIT_FAILURE;
	if (!migration_run(&context->settings.catalog.primary, folder, deadline_in_ms(MIGRATION_TIMEOUT_MS),
	    print_applied, &count, &why)) {
		complain("%s", why.detail);
		return EXIT_FAILURE;
	}
	if (count == 0)
		puts("nothing to do");
	return exit_status_of_output();
}

static const struct command_option options[] = {
	{ "sql", "DIR", "The folder with the steps, NNNN-name.sql." },
	{ 0 }
};

const struct command migrate_command = {
	.name = "migrate",
	.operands = "",
	.summary = "bring the database's schema up to date",
	.manual =
	    "Applies the steps that the primary database does not have yet, in order, and\n"
	    "prints one line for each. Two migrations at once wait for each other. Servers of\n"
	    "the previous version go on working meanwhile.\n\n"
	    "The steps are looked for in ../share/vitrine/sql and ../sql, seen from the folder\n"
	    "of this program.",
	.options = options,
	.run = run_migrate,
};
