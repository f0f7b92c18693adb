/*
 * help.c - the manual, for a terminal and as Markdown, from the commands' rows.
 */
#include "cli/command.h"
#include "cli/voice.h"

#include <stdio.h>
#include <string.h>

enum { HELP_WIDTH = 80, OPTION_INDENT = 26 };

static const char exit_codes[] =
	"Exit codes: 0 done; 1 the command failed; 64 the command line makes no sense;\n"
	"65 an import finished, but refused some files; 78 the configuration cannot be\n"
	"used. Results go to standard output, everything else to standard error.\n";

static const char configuration[] =
	"Configuration: --config=FILE (before or after the command), else the file named\n"
	"by VITRINE_CONFIG, else /etc/vitrine/vitrine.ini. Environment variables override\n"
	"single settings: VITRINE_CATALOG_PRIMARY for primary in [catalog].\n";

static void
print_usage(const struct command *command, FILE *to)
{
	fprintf(to, "vitrine %s%s%s%s", command->name, command->operands[0] != '\0' ? " " : "", command->operands,
	    command->options[0].name != NULL ? " [OPTION...]" : "");
}

/* Words of the text, wrapped, with what comes after the first line indented. */
static void
print_wrapped(const char *text, unsigned column, unsigned indent)
{
	struct span rest = span_of(text);

	while (rest.at != NULL) {
		struct span word = span_cut(&rest, ' ');

		if (column > indent && column + 1 + word.length > HELP_WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", SPAN_ARGS(word));
		column += (unsigned)word.length;
	}
	putchar('\n');
}

static void
print_option(const struct command_option *option)
{
	int length = printf("  --%s%s%s", option->name, option->value != NULL ? "=" : "",
	    option->value != NULL ? option->value : "");

	if (length + 1 > OPTION_INDENT) {
		putchar('\n');
		length = 0;
	}
	printf("%*s", OPTION_INDENT - length, "");
	print_wrapped(option->help, OPTION_INDENT, OPTION_INDENT);
}

static void
print_manual(const struct command *command)
{
	printf("Usage: ");
	print_usage(command, stdout);
	printf("\n\n%s\n", command->manual);
	if (command->options[0].name == NULL)
		return;
	printf("\nOptions:\n");
	for (const struct command_option *option = command->options; option->name != NULL; option++)
		print_option(option);
}

static void
print_overview(void)
{
	printf("Usage: vitrine [--config=FILE] COMMAND [OPTION...]\n"
	    "       vitrine help COMMAND\n"
	    "       vitrine --version\n\nCommands:\n");
	for (unsigned i = 0; commands[i] != NULL; i++)
		printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
	printf("\n%s\n%s", configuration, exit_codes);
}

static void
print_markdown(void)
{
	printf("%s\n%s", configuration, exit_codes);
	for (unsigned i = 0; commands[i] != NULL; i++) {
		const struct command *command = commands[i];

		printf("\n## %s: %s\n\n    ", command->name, command->summary);
		print_usage(command, stdout);
		printf("\n\n%s\n", command->manual);
		if (command->options[0].name != NULL)
			printf("\n| option | meaning |\n|---|---|\n");
		for (const struct command_option *option = command->options; option->name != NULL; option++)
			printf("| `--%s%s%s` | %s |\n", option->name, option->value != NULL ? "=" : "",
			    option->value != NULL ? option->value : "", option->help);
	}
}

static int
run_help(struct invocation *invocation)
{
	const struct command *command;

	if (invocation_has(invocation, "markdown"))
		print_markdown();
	else if (invocation->operand_count == 0)
		print_overview();
	else if ((command = command_find(invocation->operands[0])) != NULL)
		print_manual(command);
	else
		return EX_USAGE;
	return exit_status_of_output();
}

static const struct command_option options[] = {
	{ "markdown", NULL, "Prints the manual of all commands, for docs/." },
	{ 0 }
};

const struct command help_command = {
	.name = "help",
	.operands = "[COMMAND]",
	.max_operands = 1,
	.summary = "explain a command, or list them all",
	.manual = "Prints the manual of one command, or one line about each.",
	.options = options,
	.needs_no_settings = true,
	.run = run_help,
};
