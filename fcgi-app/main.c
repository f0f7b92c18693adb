/*
 * main.c - vitrine.fcgi: options, configuration, and which of two lives to lead.
 *
 *	Started by a service manager or by hand: the supervisor, which prefork
 *	responders and renderers.
 *	Started by mod_fcgid (or spawn-fcgi -n), with a listening socket as
 *	descriptor 0: one responder with a renderer of its own.
 */
#include "base/check.h"
#include "fcgi-app/exit_code.h"
#include "fcgi-app/listener.h"
#include "fcgi-app/responder.h"
#include "fcgi-app/server.h"
#include "fcgi-app/supervisor.h"
#include "recipe/operation.h"
#include "settings/settings.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

extern char **environ;

enum action { SERVE, CHECK_CONFIGURATION, PRINT_CONFIGURATION, PRINT_SETTINGS, PRINT_OPERATIONS };

struct options {
	const char *config;
	enum action action;
	bool supervise;
};

static const char usage[] =
    "usage: vitrine.fcgi [--config=FILE] [--supervise] [--check-config | --print-config]\n"
    "\n"
    "  --config=FILE    settings; else the file named by VITRINE_CONFIG, else only\n"
    "                   defaults and the environment\n"
    "  --supervise      prefork, even when descriptor 0 is a listening socket\n"
    "  --check-config   say whether the configuration is good, and leave\n"
    "  --print-config   print the effective settings without secrets, and leave\n"
    "  --print-reference=settings|operations\n"
    "                   print the tables of docs/ as Markdown, and leave\n"
    "\n"
    "Exit codes: 0 stopped as asked, 64 usage, 71 the machine refused something,\n"
    "78 the configuration is not valid.\n";

static bool
parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "print-config", no_argument, NULL, 'p' },
		{ "print-reference", required_argument, NULL, 'r' },
		{ "supervise", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options){ .config = getenv("VITRINE_CONFIG") };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'k':
			options->action = CHECK_CONFIGURATION;
			break;
		case 'p':
			options->action = PRINT_CONFIGURATION;
			break;
		case 'r':
			if (strcmp(optarg, "settings") != 0 && strcmp(optarg, "operations") != 0)
				return false;
			options->action = optarg[0] == 's' ? PRINT_SETTINGS : PRINT_OPERATIONS;
			break;
		case 's':
			options->supervise = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return false;
		}
	}
	return optind == argc;
}

/* What a responder would stumble over, found before any is started; and what all
 * of them share: the files of watermarks, where the renderer's program is, and how
 * much of a sandbox this kernel gives it. */
static bool
environment_is_good(struct settings *settings, struct arena *arena, struct failure *why)
{
	struct store *store = store_open(&settings->store, why);
	struct peers *peers;

	if (store == NULL)
		return false;
	store_close(store);
	peers = peers_open(&settings->peers, why);
	if (peers == NULL)
		return false;
	peers_close(peers);
	for (unsigned i = 0; i < settings->origin_count; i++) {
		struct origin *origin = origin_open(&settings->origins[i], why);

		if (origin == NULL)
			return false;
		origin_close(origin);
	}
	for (unsigned i = 0; i < settings->dressing.watermark_count; i++)
		if (!watermark_open(&settings->dressing.watermarks[i], why))
			return false;
	return renderer_find_program(settings->render.process.program, arena, &settings->render.process.program, why) &&
	    renderer_check_sandbox(&settings->render.process, &settings->render.sandbox, why);
}

static int
print(enum action action, const struct settings *settings, struct arena *arena)
{
	struct text out;

	text_init(&out, arena, 1 << 20);
	if (action == PRINT_SETTINGS)
		settings_print_reference(&out);
	else if (action == PRINT_OPERATIONS)
		operation_print_table(&out);
	else
		settings_print(settings, &out);
	fwrite(out.at, 1, out.length, stdout);
	return fflush(stdout) == 0 ? 0 : EXIT_ENVIRONMENT;
}

/* mod_fcgid stops a process with SIGTERM.  The signal stays blocked, so that
 * no call is interrupted, and arrives through a descriptor between requests. */
static int
serve_alone(const struct settings *settings)
{
	struct responder_config config = { .duty = { .listener = STDIN_FILENO, .bell = -1 }, .renderer_listener = -1,
		.drain = -1, .shortcuts = shortcuts_new() };
	sigset_t leave;

	sigemptyset(&leave);
	sigaddset(&leave, SIGTERM);
	sigaddset(&leave, SIGINT);
	sigaddset(&leave, SIGUSR1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	config.duty.leave = signalfd(-1, &leave, SFD_CLOEXEC);
	CHECK(config.duty.leave != -1);
	server_log_sandbox(settings);
	return responder_run(settings, &config);
}

/* A reload executes this path, not /proc/self/exe, which after an upgrade is
 * still the old program; and symbolic links stay, because upgrades move them. */
static const char *
absolute_program(struct arena *arena, const char *name)
{
	char *here;

	if (strchr(name, '/') == NULL)
		return realpath("/proc/self/exe", NULL);
	if (name[0] == '/')
		return name;
	here = getcwd(NULL, 0);
	return here != NULL ? arena_printf(arena, "%s/%s", here, name) : NULL;
}

static int
run(int argc, char **argv, struct arena *arena)
{
	struct settings *settings = arena_alloc(arena, sizeof(*settings));
	struct failure why = { 0 };
	struct options options;
	const char *program;

	if (!parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (options.action == PRINT_SETTINGS || options.action == PRINT_OPERATIONS)
		return print(options.action, settings, arena);
	if (!settings_load(arena, options.config, environ, settings, &why)) {
		fprintf(stderr, "vitrine.fcgi: %s\n", why.detail);
		return EXIT_CONFIGURATION;
	}
	if (options.action == PRINT_CONFIGURATION)
		return print(options.action, settings, arena);
	if (!environment_is_good(settings, arena, &why)) {
		fprintf(stderr, "vitrine.fcgi: %s\n", why.detail);
		return EXIT_ENVIRONMENT;
	}
	if (options.action == CHECK_CONFIGURATION)
		return 0;
	if (!options.supervise && descriptor_is_listener(STDIN_FILENO))
		return serve_alone(settings);
	program = absolute_program(arena, argv[0]);
	if (program == NULL) {
		fprintf(stderr, "vitrine.fcgi: cannot find my own program: %s\n", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	return supervisor_run(settings, program, argv);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	int code;

	supervisor_block_signals();
	supervisor_reserve_descriptors();
	code = run(argc, argv, arena);
	arena_free(arena);
	return code;
}
