/*
 * vitrine-renderer - parses the bytes that nobody trusts, in a process that has
 * nothing to lose.
 *
 * Started by the supervisor or a responder (lib/render/renderer_process.c) with
 * the renderers' listening socket and a lifeline; it has no configuration, no
 * keys and no connection.  Exits with 0 when it leaves of its own will, 2 on a
 * wrong command line, 1 when it cannot start or go on, with one line on
 * standard error.  Of single jobs it logs nothing: the responder does.
 */
#include "image/image.h"
#include "render/job.h"
#include "renderer/limits.h"
#include "renderer/resident.h"
#include "renderer/sandbox.h"
#include "renderer/serve.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_LEFT = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { MEGABYTE = 1 << 20, MEMORY_MB_MAX = 1 << 20, FIRST_OWN_FD = 3 };

struct command_line {
	struct serve_config serve;
	struct limits limits;
};

static const struct option options[] = {
	{ "listener", required_argument, NULL, 'l' },
	{ "lifeline", required_argument, NULL, 'e' },
	{ "memory-mb", required_argument, NULL, 'm' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "recycle-memory-mb", required_argument, NULL, 'r' },
	{ "max-output-bytes", required_argument, NULL, 'o' },
	{ 0 },
};

/* An option's number, or false when it is out of range. */
static bool
read_option(int option, struct span argument, struct command_line *line)
{
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
		.serve = { .listener = -1, .lifeline = -1 },
		.limits = { .max_output_bytes = JOB_OUTPUT_BYTES_MAX },
	};
	while ((option = getopt_long(count, arguments, "", options, NULL)) != -1)
		if (option == '?' || !read_option(option, span_of(optarg), line))
			return false;
	return optind == count && line->serve.listener != -1 && line->serve.lifeline != -1 &&
	    line->serve.listener != line->serve.lifeline;
}

/* Whatever else was left open by who started us, we do not want it. */
static void
close_all_but(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other);
	unsigned high = (unsigned)(one < other ? other : one);

	if (low > FIRST_OWN_FD)
		close_range(FIRST_OWN_FD, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

static bool
run(const struct command_line *line, char *program, struct failure *why)
{
	close_all_but(line->serve.listener, line->serve.lifeline);
	/* Libraries read dozens of variables; none of them shall change a picture. */
	clearenv();
	return limits_enter(&line->limits, why) && resident_open(why) && image_init(program, why) &&
	    sandbox_enter(why) && serve(&line->serve, why);
}

int
main(int count, char **arguments)
{
	struct command_line line;
	struct failure why = { 0 };

	if (!parse_command_line(count, arguments, &line)) {
		fputs("event=renderer-usage message=\"vitrine-renderer --listener=FD --lifeline=FD [--memory-mb=N] "
		    "[--jobs=N] [--recycle-memory-mb=N] [--max-output-bytes=N]\"\n", stderr);
		return EXIT_USAGE;
	}
	if (!run(&line, arguments[0], &why)) {
		fprintf(stderr, "event=renderer-failed reason=\"%s\"\n", why.detail);
		return EXIT_FAILED;
	}
	image_shutdown();
	return EXIT_LEFT;
}
