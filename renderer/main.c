/*
 * vitrine-renderer - parses the bytes that nobody trusts, in a process that has
 * nothing to lose.
 *
 * Started by the supervisor or a responder (lib/render/renderer_process.c) with
 * the renderers' listening socket and a lifeline; it has no configuration, no
 * keys and no connection.  Exits with 0 when it leaves of its own will, 2 on a
 * wrong command line, 1 when it cannot start or go on, with one line on
 * standard error.  Of single jobs it logs nothing: the responder does.
 *
 * With --check-sandbox it only tells what its sandbox has, in the place of the
 * listening socket, as renderer_check_sandbox() reads it.
 */
#include "image/image.h"
#include "render/job.h"
#include "renderer/limits.h"
#include "renderer/resident.h"
#include "renderer/sandbox.h"
#include "renderer/serve.h"
#include "renderer/watch.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_LEFT = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { MEGABYTE = 1 << 20, MEMORY_MB_MAX = 1 << 20, FIRST_OWN_FD = 3 };

struct command_line {
	struct serve_config serve;
	struct limits limits;
	enum sandbox_wish sandbox;
	bool only_checks;
};

static const struct option options[] = {
	{ "listener", required_argument, NULL, 'l' },
	{ "lifeline", required_argument, NULL, 'e' },
	{ "pixels", required_argument, NULL, 'p' },
	{ "memory-mb", required_argument, NULL, 'm' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "recycle-memory-mb", required_argument, NULL, 'r' },
	{ "max-output-bytes", required_argument, NULL, 'o' },
	{ "sandbox", required_argument, NULL, 's' },
	{ "check-sandbox", no_argument, NULL, 'c' },
	{ 0 },
};

static bool
find_wish(const char *name, enum sandbox_wish *wish)
{
	for (unsigned i = 0; sandbox_wishes[i] != NULL; i++)
		if (strcmp(name, sandbox_wishes[i]) == 0) {
			*wish = (enum sandbox_wish)i;
			return true;
		}
	return false;
}

/* False when the option is unknown or its value is out of range. */
static bool
read_option(int option, const char *text, struct command_line *line)
{
	struct span argument = span_of(text != NULL ? text : "");
	uint64_t value = 0;
	bool is_valid = false;

	switch (option) {
	case 'l':
		is_valid = span_to_u64(argument, FIRST_OWN_FD, INT16_MAX, &value);
		line->serve.listener = (int)value;
		break;
	case 'e':
		is_valid = span_to_u64(argument, FIRST_OWN_FD, INT16_MAX, &value);
		line->serve.lifeline = (int)value;
		break;
	case 'p':
		is_valid = span_to_u64(argument, FIRST_OWN_FD, INT16_MAX, &value);
		line->serve.pixels = (int)value;
		break;
	case 'm':
		is_valid = span_to_u64(argument, 0, MEMORY_MB_MAX, &value);
		line->limits.memory_bytes = value * MEGABYTE;
		break;
	case 'j':
		is_valid = span_to_u64(argument, 0, UINT32_MAX, &value);
		line->serve.jobs = (unsigned)value;
		break;
	case 'r':
		is_valid = span_to_u64(argument, 0, MEMORY_MB_MAX, &value);
		line->serve.recycle_bytes = value * MEGABYTE;
		break;
	case 'o':
		is_valid = span_to_u64(argument, 1, JOB_OUTPUT_BYTES_MAX, &value);
		line->limits.max_output_bytes = value;
		break;
	case 's':
		is_valid = find_wish(text, &line->sandbox);
		break;
	case 'c':
		is_valid = line->only_checks = true;
		break;
	default:
		break;
	}
	return is_valid;
}

static bool
parse_command_line(int count, char **arguments, struct command_line *line)
{
	int option;

	*line = (struct command_line){
		.serve = { .listener = -1, .lifeline = -1, .pixels = -1 },
		.limits = { .max_output_bytes = JOB_OUTPUT_BYTES_MAX },
	};
	while ((option = getopt_long(count, arguments, "", options, NULL)) != -1)
		if (!read_option(option, optarg, line))
			return false;
	return optind == count && line->serve.listener != -1 && line->serve.lifeline != -1 &&
	    line->serve.listener != line->serve.lifeline;
}

/* Whatever else was left open by who started us, we do not want it. */
static void
close_all_but(const int *wanted, size_t count)
{
	unsigned from = FIRST_OWN_FD, to;

	do {
		to = ~0U;
		for (size_t i = 0; i < count; i++)
			if (wanted[i] >= (int)from && (unsigned)wanted[i] < to)
				to = (unsigned)wanted[i];
		if (to > from)
			close_range(from, to - (to != ~0U), 0);
		from = to + 1;
	} while (to != ~0U);
}

/* Without image_init(), which takes most of a start's time. */
static int
check_sandbox(const struct command_line *line)
{
	struct sandbox_parts parts;
	struct failure why = { 0 };
	bool is_good = sandbox_enter(line->sandbox, &parts, &why);

	if (is_good)
		dprintf(line->serve.listener, "seccomp=%d landlock=%u", parts.has_seccomp, parts.landlock_abi);
	else
		dprintf(line->serve.listener, "failed %s", why.detail);
	return is_good ? EXIT_LEFT : EXIT_FAILED;
}

static bool
run(const struct command_line *line, char *program, struct failure *why)
{
	const int wanted[] = { line->serve.listener, line->serve.lifeline, line->serve.pixels };
	struct sandbox_parts parts;

	close_all_but(wanted, sizeof(wanted) / sizeof(wanted[0]));
	/* Libraries read dozens of variables; none of them shall change a picture. */
	clearenv();
	return limits_enter(&line->limits, why) && resident_open(why) && watch_open(why) && image_init(program, why) &&
	    sandbox_enter(line->sandbox, &parts, why) && image_warm_up(why) && watch_start(why) &&
	    serve(&line->serve, why);
}

int
main(int count, char **arguments)
{
	struct command_line line;
	struct failure why = { 0 };

	if (!parse_command_line(count, arguments, &line)) {
		fputs("event=renderer-usage message=\"vitrine-renderer --listener=FD --lifeline=FD [--pixels=FD] "
		    "[--memory-mb=N] [--jobs=N] [--recycle-memory-mb=N] [--max-output-bytes=N] "
		    "[--sandbox=preferred|required|off] [--check-sandbox]\"\n", stderr);
		return EXIT_USAGE;
	}
	if (line.only_checks)
		return check_sandbox(&line);
	if (!run(&line, arguments[0], &why)) {
		fprintf(stderr, "event=renderer-failed reason=\"%s\"\n", why.detail);
		return EXIT_FAILED;
	}
	image_shutdown();
	return EXIT_LEFT;
}
