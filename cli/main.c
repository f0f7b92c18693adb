/*
 * main.c - vitrine, the admin program: finds the command and runs it.
 *
 * Everything about a command is in its own file; what all of them share is the
 * row that describes them (command.h), the settings (context.h) and the way
 * they speak (voice.h).
 */
#include "cli/command.h"
#include "cli/voice.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

#ifndef VITRINE_VERSION
#define VITRINE_VERSION "0.1"
#endif

enum { OPTION_CONFIG = 1, OPTION_VERSION, OPTION_HELP };

const struct command *const commands[] = {
	&migrate_command, &import_command, &list_command, &inspect_command, &set_command, &sign_command,
	&purge_command, &release_command, &help_command, NULL
};

const struct command *
command_find(const char *name)
{
	for (unsigned i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	complain_usage("", "there is no command '%s'", name);
	return NULL;
}

static int
run_command(struct context *context, int argc, char **argv)
{
	struct invocation invocation = { .command = command_find(argv[0]), .context = context };

	if (invocation.command == NULL || !invocation_parse(&invocation, argc, argv))
		return EX_USAGE;
	if (!invocation.command->needs_no_settings && !context_load_settings(context))
		return EX_CONFIG;
	return invocation.command->run(&invocation);
}

static int
run_program(struct context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ 0 }
	};
	static char help[] = "help";
	char *help_words[] = { help, NULL };
	int answer;

	opterr = 0;
	while ((answer = getopt_long(argc, argv, "+", options, NULL)) != -1)
		switch (answer) {
		case OPTION_CONFIG:
			context->settings_path = optarg;
			break;
		case OPTION_VERSION:
			puts("vitrine " VITRINE_VERSION);
			return exit_status_of_output();
		case OPTION_HELP:
			return run_command(context, 1, help_words);
		default:
			complain_usage("", "unknown option %s", argv[optind - 1]);
			return EX_USAGE;
		}
	if (optind == argc) {
		complain_usage("", "no command was given");
		return EX_USAGE;
	}
	return run_command(context, argc - optind, argv + optind);
}

int
main(int argc, char **argv)
{
	struct context context = { .arena = arena_new() };
	int status;

	/* A reader or a server that leaves is an error of that write, not our end. */
	signal(SIGPIPE, SIG_IGN);
	status = run_program(&context, argc, argv);
	context_release(&context);
	return status;
}
