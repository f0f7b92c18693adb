#include "render/renderer_process.h"

#include "base/check.h"
#include "base/deadline.h"
#include "base/text.h"
#include "image/description.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RENDERER_NAME "vitrine-renderer"

enum {
	LISTENER_FD = 3,
	LIFELINE_FD = 4,
	PIXELS_FD = 5,
	FIRST_FREE_FD = 6,
	OPTION_MAX = 64,
	OPTION_COUNT = 9,
	ENVIRONMENT_MAX = 8,
	CHECK_MS = 10000	/* loading the program and its libraries from a cold disk */
};

const char *const sandbox_wishes[] = { "preferred", "required", "off", NULL };

/* Everything the child needs, made before the fork: afterwards it only calls
 * what POSIX allows between fork and exec. */
struct command {
	const char *program;
	char options[OPTION_COUNT][OPTION_MAX];
	char *arguments[OPTION_COUNT + 2];
	char *environment[ENVIRONMENT_MAX + 1];
};

struct descriptors {
	int listener, lifeline;
	int pixels;		/* or -1 */
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
command_init(struct command *command, const struct renderer_config *config, bool has_pixels)
{
	static char name[] = RENDERER_NAME;

	*command = (struct command){ .program = config->program, .arguments = { name } };
	add_option(command, "--listener=%d", LISTENER_FD);
	add_option(command, "--lifeline=%d", LIFELINE_FD);
	if (has_pixels)
		add_option(command, "--pixels=%d", PIXELS_FD);
	add_option(command, "--memory-mb=%u", config->memory_mb);
	add_option(command, "--jobs=%u", config->jobs);
	add_option(command, "--recycle-memory-mb=%u", config->recycle_memory_mb);
	add_option(command, "--max-output-bytes=%" PRIu64, config->max_output_bytes);
	add_option(command, "--sandbox=%s", sandbox_wishes[config->sandbox]);
	choose_environment(command);
}

/* Puts the descriptors in their places; *report moves and stays ours until
 * exec.  All are first moved out of the way, because each may already sit where
 * another one belongs. */
static bool
arrange_descriptors(const struct descriptors *descriptors, int *report)
{
	bool has_pixels = descriptors->pixels != -1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int listener = fcntl(descriptors->listener, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int lifeline = fcntl(descriptors->lifeline, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int pixels = fcntl(descriptors->pixels, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	*report = fcntl(*report, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	return null != -1 && *report != -1 && listener != -1 && lifeline != -1 && (pixels != -1 || !has_pixels) &&
	    dup2(null, STDIN_FILENO) != -1 && dup2(null, STDOUT_FILENO) != -1 &&
	    dup2(listener, LISTENER_FD) != -1 && dup2(lifeline, LIFELINE_FD) != -1 &&
	    (!has_pixels || dup2(pixels, PIXELS_FD) != -1) &&
	    close_range(has_pixels ? FIRST_FREE_FD : PIXELS_FD, ~0U, CLOSE_RANGE_CLOEXEC) != -1;
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
become_renderer(const struct command *command, const struct descriptors *descriptors, int report)
{
	int error;

	if (arrange_descriptors(descriptors, &report) && chdir("/") != -1 && arrange_signals())
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

static pid_t
start(const struct command *command, const struct descriptors *descriptors, struct failure *why)
{
	sigset_t everything, before;
	int report[2], error;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) == -1) {
		(void)fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	/* Blocked across the fork, so that no handler of ours ever runs in the child. */
	sigfillset(&everything);
	CHECK(sigprocmask(SIG_SETMASK, &everything, &before) != -1);
	pid = fork();
	if (pid == 0)
		become_renderer(command, descriptors, report[1]);
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
	(void)fail(why, FAIL_INTERNAL, "cannot start %.160s: %s", command->program, strerror(error));
	return -1;
}

int
renderer_pixels(unsigned renderers, struct failure *why)
{
	off_t size = SLOT_INDEX_BYTES + (off_t)SLOT_BYTES * (renderers < SLOTS_MAX ? renderers : SLOTS_MAX);
	struct rlimit limit;
	int memory;

	/* ftruncate() would end us. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < (rlim_t)size) {
		(void)fail(why, FAIL_INTERNAL, "memory for pixels is larger than files may be here (RLIMIT_FSIZE)");
		return -1;
	}
	memory = memfd_create("vitrine-pixels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* Sealed, because who reads beyond the end of it dies. */
	if (memory != -1 && ftruncate(memory, size) == 0 &&
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return memory;
	(void)fail(why, FAIL_INTERNAL, "cannot make memory for pixels: %s", strerror(errno));
	if (memory != -1)
		close(memory);
	return -1;
}

pid_t
renderer_start(const struct renderer_config *config, int listener, int lifeline, int pixels, struct failure *why)
{
	const struct descriptors descriptors = { listener, lifeline, pixels };
	struct command command;

	command_init(&command, config, pixels != -1);
	return start(&command, &descriptors, why);
}

/* ---- the sandbox, asked for in advance ---------------------------------------------- */

/* Until the other end is closed, or the time is up. */
static size_t
read_answer(int fd, char *answer, size_t size)
{
	struct deadline deadline = deadline_in_ms(CHECK_MS);
	struct pollfd arrival = { fd, POLLIN, 0 };
	size_t length = 0;
	ssize_t got = 1;

	while (got > 0 && length < size && poll(&arrival, 1, deadline_left_ms(deadline)) == 1) {
		got = read(fd, answer + length, size - length);
		if (got > 0)
			length += (size_t)got;
	}
	return length;
}

/* "seccomp=1 landlock=6", or "failed " and the reason. */
static bool
parse_answer(struct span answer, struct sandbox_parts *parts, struct failure *why)
{
	struct span landlock = answer, word = span_cut(&landlock, ' ');
	struct span seccomp = word, name = span_cut(&seccomp, '=');
	struct span abi = landlock, abi_name = span_cut(&abi, '=');
	uint64_t has_seccomp, landlock_abi;

	if (span_equals(word, "failed"))
		return fail(why, FAIL_INTERNAL, "%.*s", SPAN_ARGS(landlock));
	if (!span_equals(name, "seccomp") || !span_to_u64(seccomp, 0, 1, &has_seccomp) ||
	    !span_equals(abi_name, "landlock") || !span_to_u64(abi, 0, UINT16_MAX, &landlock_abi))
		return fail(why, FAIL_INTERNAL, "the renderer does not say what its sandbox has");
	*parts = (struct sandbox_parts){ has_seccomp != 0, (unsigned)landlock_abi };
	return true;
}

bool
renderer_check_sandbox(const struct renderer_config *config, struct sandbox_parts *parts, struct failure *why)
{
	char answer[FAILURE_DETAIL_MAX];
	struct descriptors descriptors;
	struct command command;
	int report[2];
	size_t length;
	pid_t pid;

	command_init(&command, config, false);
	add_option(&command, "--check-sandbox");
	if (pipe2(report, O_CLOEXEC) == -1)
		return fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
	/* It answers in the place of the listening socket. */
	descriptors = (struct descriptors){ report[1], report[0], -1 };
	pid = start(&command, &descriptors, why);
	close(report[1]);
	length = pid != -1 ? read_answer(report[0], answer, sizeof(answer)) : 0;
	close(report[0]);
	if (pid == -1)
		return false;
	kill(pid, SIGKILL);	/* it has answered, or never will */
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	return parse_answer(span_range(answer, length), parts, why);
}
