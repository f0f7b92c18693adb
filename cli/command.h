/*
 * command - the commands of the program, as a table.
 *
 * One row says what a command is called, what it takes, what its manual page
 * says, and which function runs it; parsing, `vitrine help` and the generated
 * documentation all read that row.  The rows stand at the end of each command's
 * own file; main.c lists them.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/text.h"
#include "cli/context.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>

/*
 * How commands end, besides EXIT_SUCCESS and EXIT_FAILURE: EX_USAGE (64) for a
 * command line that makes no sense, EX_DATAERR (65) for an import that refused
 * some files, EX_CONFIG (78) for a configuration that cannot be used.  The same
 * numbers as vitrine.fcgi's.
 */

enum { COMMAND_OPTIONS_MAX = 16 };

struct command_option {
	const char *name;		/* without the dashes; ends a list when NULL */
	const char *value;		/* what its value is called in the help; NULL: a switch */
	const char *help;		/* one sentence */
};

struct invocation;

struct command {
	const char *name;
	const char *operands;		/* "ASSET...", "" for none */
	unsigned min_operands, max_operands;
	const char *summary;		/* one line */
	const char *manual;		/* paragraphs of Markdown, lines broken for a terminal */
	const struct command_option *options;
	bool needs_no_settings;
	int (*run)(struct invocation *invocation);
};

/* One use of a command: what stood on the command line. */
struct invocation {
	const struct command *command;
	struct context *context;
	const char *values[COMMAND_OPTIONS_MAX];	/* by row of its options; NULL: absent */
	char **operands;
	unsigned operand_count;
};

/* The value of an option, "" for a switch that was given, NULL when it was not.
 * Asking for an option that the command does not have is a bug. */
const char *invocation_option(const struct invocation *invocation, const char *name);
bool invocation_has(const struct invocation *invocation, const char *name);

/* The same as a whole number; an absent option leaves *value alone.  False when
 * it is none in that range, and the user has then been told. */
bool invocation_number(const struct invocation *invocation, const char *name, uint64_t min, uint64_t max,
    uint64_t *value) __attribute__((warn_unused_result));

/* Fills in an invocation from argv[0] (the command's name) on.  False when the
 * command line makes no sense, and the user has then been told. */
bool invocation_parse(struct invocation *invocation, int argc, char **argv)
    __attribute__((warn_unused_result));

extern const struct command migrate_command, import_command, list_command, inspect_command, set_command,
    sign_command, purge_command, release_command, help_command;

/* All of them, in the order of the help, ended by NULL. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);

#endif
