#include "render/renderer_process.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RENDERER_NAME "vitrine-renderer"

enum {
	LISTENER_FD = 3,
	LIFELINE_FD = 4,
	FIRST_FREE_FD = 5,
	OPTION_MAX = 64,
	OPTION_COUNT = 6,
	ENVIRONMENT_MAX = 8
};

/* Everything the child needs, made before the fork: afterwards it only calls
 * what POSIX allows between fork and exec. */
struct command {
	const char *program;
	char options[OPTION_COUNT][OPTION_MAX];
	char *arguments[OPTION_COUNT + 2];
	char *environment[ENVIRONMENT_MAX + 1];
};

bool
renderer_find_program(const char *configured, struct arena *arena, const char **program, struct failure *why)
{
	char self[PATH_MAX];
	ssize_t length;
	char *slash;

	if (configured[0] != '\0') {
		*program = configured;
	} else {
		/* After an upgrade the link ends in " (deleted)", but the folder is still right. */
		length = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (length == -1)
			return fail(why, FAIL_INTERNAL, "cannot find the folder of this program: %s", strerror(errno));
		self[length] = '\0';
		slash = strrchr(self, '/');
		CHECK(slash != NULL);
		*slash = '\0';
		*program = arena_printf(arena, "%s/" RENDERER_NAME, self);
	}
	if (access(*program, X_OK) == -1)
		return fail(why, FAIL_INTERNAL, "cannot execute %.180s: %s", *program, strerror(errno));
	return true;
}

__attribute__((format(printf, 2, 3))) static void
add_option(struct command *command, const char *format, ...)
{
	unsigned count = 0;
	va_list values;
	int length;

	while (command->arguments[count + 1] != NULL)
		count++;
	CHECK(count < OPTION_COUNT);
	va_start(values, format);
	length = vsnprintf(command->options[count], OPTION_MAX, format, values);
	va_end(values);
	CHECK(length > 0 && length < OPTION_MAX);
	command->arguments[count + 1] = command->options[count];
}

/* What a child of ours gets from our environment: nothing that could be a
 * secret, and what the sanitizers and the coverage of our own tests need. */
static void
choose_environment(struct command *command)
{
	static const char *const kept[] = {
		"ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=", "LLVM_PROFILE_FILE="
	};
	static char fixed[][32] = { "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8" };
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		command->environment[count++] = fixed[i];
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
		for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (strncmp(*variable, kept[i], strlen(kept[i])) == 0 && count < ENVIRONMENT_MAX)
				command->environment[count++] = *variable;
	command->environment[count] = NULL;
}

static void
command_init(struct command *command, const struct renderer_config *config)
{
	static char name[] = RENDERER_NAME;

	*command = (struct command){ .program = config->program, .arguments = { name } };
	add_option(command, "--listener=%d", LISTENER_FD);
	add_option(command, "--lifeline=%d", LIFELINE_FD);
	add_option(command, "--memory-mb=%u", config->memory_mb);
	add_option(command, "--jobs=%u", config->jobs);
	add_option(command, "--recycle-memory-mb=%u", config->recycle_memory_mb);
	add_option(command, "--max-output-bytes=%" PRIu64, config->max_output_bytes);
	choose_environment(command);
}

/* Puts the descriptors in their places; *report moves and stays ours until
 * exec.  All are first moved out of the way, because each may already sit where
 * another one belongs. */
static bool
arrange_descriptors(int listener, int lifeline, int *report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	*report = fcntl(*report, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	listener = fcntl(listener, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	lifeline = fcntl(lifeline, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	return null != -1 && *report != -1 && listener != -1 && lifeline != -1 &&
	    dup2(null, STDIN_FILENO) != -1 && dup2(null, STDOUT_FILENO) != -1 &&
	    dup2(listener, LISTENER_FD) != -1 && dup2(lifeline, LIFELINE_FD) != -1 &&
	    close_range(FIRST_FREE_FD, ~0U, CLOSE_RANGE_CLOEXEC) != -1;
}

/* Ignored signals survive exec, and a SIGALRM that is ignored would leave a
 * stuck decoder alive. */
static bool
arrange_signals(void)
{
	static const int blocked[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE
	};
	sigset_t mask;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);	/* fails for SIGKILL and SIGSTOP, which need it not */
	sigemptyset(&mask);
	for (unsigned i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		sigaddset(&mask, blocked[i]);
	return sigprocmask(SIG_SETMASK, &mask, NULL) != -1;
}

/* In the child.  The report pipe closes by itself when exec succeeds. */
static _Noreturn void
become_renderer(const struct command *command, int listener, int lifeline, int report)
{
	int error;

	if (arrange_descriptors(listener, lifeline, &report) && chdir("/") != -1 && arrange_signals())
		execve(command->program, command->arguments, command->environment);
	error = errno;
	(void)!write(report, &error, sizeof(error));
	_exit(127);
}

/* The child's errno when it could not become a renderer, 0 when it could. */
static int
read_report(int report)
{
	int error = 0;
	ssize_t got;

	do
		got = read(report, &error, sizeof(error));
	while (got == -1 && errno == EINTR);
	return got == sizeof(error) ? error : 0;
}

pid_t
renderer_start(const struct renderer_config *config, int listener, int lifeline, struct failure *why)
{
	struct command command;
	sigset_t everything, before;
	int report[2], error;
	pid_t pid;

	command_init(&command, config);
	if (pipe2(report, O_CLOEXEC) == -1) {
		(void)fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	/* Blocked across the fork, so that no handler of ours ever runs in the child. */
	sigfillset(&everything);
	CHECK(sigprocmask(SIG_SETMASK, &everything, &before) != -1);
	pid = fork();
	if (pid == 0)
		become_renderer(&command, listener, lifeline, report[1]);
	error = pid == -1 ? errno : 0;
	CHECK(sigprocmask(SIG_SETMASK, &before, NULL) != -1);
	close(report[1]);
	if (pid != -1)
		error = read_report(report[0]);
	close(report[0]);
	if (error == 0)
		return pid;
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	(void)fail(why, FAIL_INTERNAL, "cannot start %.160s: %s", config->program, strerror(error));
	return -1;
}
