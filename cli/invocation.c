#include "base/check.h"
#include "cli/command.h"
#include "cli/voice.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CONFIG_OPTION = COMMAND_OPTIONS_MAX };	/* a code of its own, taken by every command */

static unsigned
option_row(const struct command *command, const char *name)
{
	unsigned row = 0;

	while (command->options[row].name != NULL && strcmp(command->options[row].name, name) != 0)
		row++;
	CHECK(command->options[row].name != NULL);
	return row;
}

const char *
invocation_option(const struct invocation *invocation, const char *name)
{
	return invocation->values[option_row(invocation->command, name)];
}

bool
invocation_has(const struct invocation *invocation, const char *name)
{
	return invocation_option(invocation, name) != NULL;
}

bool
invocation_number(const struct invocation *invocation, const char *name, uint64_t min, uint64_t max, uint64_t *value)
{
	const char *text = invocation_option(invocation, name);

	if (text == NULL || span_to_u64(span_of(text), min, max, value))
		return true;
	complain_usage(invocation->command->name, "--%s takes a whole number from %" PRIu64 " to %" PRIu64, name,
	    min, max);
	return false;
}

/* getopt's own messages would name the command instead of the program. */
static void
complain_option(const struct command *command, int answer, const char *word)
{
	if (answer == ':')
		complain_usage(command->name, "%s: %s needs a value", command->name, word);
	else if (strchr(word, '=') != NULL && strncmp(word, "--", 2) == 0)
		complain_usage(command->name, "%s: unknown option, or one that takes no value: %s", command->name,
		    word);
	else
		complain_usage(command->name, "%s: unknown option %s", command->name, word);
}

static bool
operand_count_is_right(const struct invocation *invocation)
{
	const struct command *command = invocation->command;

	if (invocation->operand_count < command->min_operands)
		complain_usage(command->name, "%s needs %s", command->name, command->operands);
	else if (invocation->operand_count > command->max_operands)
		complain_usage(command->name, "%s: %s is one too many", command->name,
		    invocation->operands[command->max_operands]);
	else
		return true;
	return false;
}

bool
invocation_parse(struct invocation *invocation, int argc, char **argv)
{
	const struct command *command = invocation->command;
	struct option options[COMMAND_OPTIONS_MAX + 2] = { { 0 } };
	unsigned count = 0;
	int answer;

	for (; command->options[count].name != NULL; count++) {
		CHECK(count < COMMAND_OPTIONS_MAX);
		options[count] = (struct option){ command->options[count].name,
			command->options[count].value != NULL ? required_argument : no_argument, NULL, (int)count };
	}
	options[count] = (struct option){ "config", required_argument, NULL, CONFIG_OPTION };
	opterr = 0;
	optind = 0;	/* glibc: begin anew, main() has used getopt for the words before the command */
	while ((answer = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (answer == CONFIG_OPTION) {
			invocation->context->settings_path = optarg;
		} else if (answer == '?' || answer == ':') {
			complain_option(command, answer, argv[optind - 1]);
			return false;
		} else {
			invocation->values[answer] = optarg != NULL ? optarg : "";
		}
	}
	invocation->operands = argv + optind;
	invocation->operand_count = (unsigned)(argc - optind);
	return operand_count_is_right(invocation);
}
