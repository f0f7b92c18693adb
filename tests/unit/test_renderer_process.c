/*
 * The renderer is played by this program itself: started with a renderer's
 * options it looks at what it was given and writes that to its listener.
 */
#include "render/renderer_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What the played renderer found, in one message. */
struct findings {
	int argument_count;
	char arguments[8][64];
	bool is_open[64];		/* descriptors */
	bool null_is_on_0_and_1;
	bool blocks_term, blocks_alarm, ignores_alarm;
	bool sees_secret, is_in_root;
};

static void
look_at_descriptors(struct findings *findings)
{
	char target[64] = "";
	ssize_t length;

	for (int fd = 0; fd < 64; fd++)
		findings->is_open[fd] = fcntl(fd, F_GETFD) != -1;
	length = readlink("/proc/self/fd/0", target, sizeof(target) - 1);
	findings->null_is_on_0_and_1 = length == 9 && strcmp(target, "/dev/null") == 0;
	length = readlink("/proc/self/fd/1", target, sizeof(target) - 1);
	findings->null_is_on_0_and_1 &= length == 9 && strcmp(target, "/dev/null") == 0;
}

static int
play_renderer(int argc, char **argv)
{
	struct findings findings = { .argument_count = argc };
	struct sigaction alarm_action;
	char folder[8] = "";
	sigset_t mask;
	char byte;

	look_at_descriptors(&findings);
	for (int i = 0; i < argc && i < 8; i++)
		snprintf(findings.arguments[i], sizeof(findings.arguments[i]), "%s", argv[i]);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	findings.blocks_term = sigismember(&mask, SIGTERM);
	findings.blocks_alarm = sigismember(&mask, SIGALRM);
	sigaction(SIGALRM, NULL, &alarm_action);
	findings.ignores_alarm = alarm_action.sa_handler == SIG_IGN;
	findings.sees_secret = getenv("VITRINE_CATALOG_PASSWORD") != NULL;
	findings.is_in_root = getcwd(folder, sizeof(folder)) != NULL && strcmp(folder, "/") == 0;
	if (send(3, &findings, sizeof(findings), 0) != sizeof(findings))
		return 2;
	return read(4, &byte, 1) == 0 ? 0 : 3;	/* until the lifeline ends */
}

struct started {
	pid_t pid;
	int lifeline;		/* write end */
	struct findings findings;
};

static void
set_receive_timeout(int fd)
{
	struct timeval limit = { 10, 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
}

static struct started
start_with(const struct renderer_config *config, int pixels)
{
	struct failure why = { 0 };
	struct started started;
	int sockets[2], lifeline[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	assert_int_equal(pipe2(lifeline, O_CLOEXEC), 0);
	set_receive_timeout(sockets[0]);
	started.pid = renderer_start(config, sockets[1], lifeline[0], pixels, &why);
	assert_string_equal(why.detail, "");
	assert_int_not_equal(started.pid, -1);
	assert_int_equal(recv(sockets[0], &started.findings, sizeof(started.findings), 0), sizeof(started.findings));
	close(sockets[0]);
	close(sockets[1]);
	close(lifeline[0]);
	started.lifeline = lifeline[1];
	return started;
}

static int
end(struct started *started)
{
	int status = -1;

	close(started->lifeline);
	assert_int_equal(waitpid(started->pid, &status, 0), started->pid);
	return status;
}

static const struct renderer_config ourselves = {
	.program = "/proc/self/exe", .memory_mb = 4096, .recycle_memory_mb = 256, .jobs = 1000,
	.max_output_bytes = 67108864
};

static void
test_passes_the_options(void **state)
{
	static const char *const want[] = {
		"vitrine-renderer", "--listener=3", "--lifeline=4", "--memory-mb=4096", "--jobs=1000",
		"--recycle-memory-mb=256", "--max-output-bytes=67108864", "--sandbox=preferred"
	};
	struct started started = start_with(&ourselves, -1);

	(void)state;
	assert_int_equal(started.findings.argument_count, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_string_equal(started.findings.arguments[i], want[i]);
	assert_int_equal(end(&started), 0);
}

static void
expect_descriptors(int pixels, int last)
{
	int leaky = fcntl(STDERR_FILENO, F_DUPFD, last + 1);	/* on purpose not close-on-exec */
	struct started started = start_with(&ourselves, pixels);

	assert_int_not_equal(leaky, -1);
	close(leaky);
	assert_int_equal(end(&started), 0);
	for (int fd = 0; fd < 64; fd++)
		if (started.findings.is_open[fd] != (fd <= last))
			fail_msg("descriptor %d is %s", fd, fd <= last ? "closed" : "open");
	assert_true(started.findings.null_is_on_0_and_1);
}

static void
test_gives_six_descriptors_and_no_other(void **state)
{
	struct failure why = { 0 };
	int pixels = renderer_pixels(1, &why);

	(void)state;
	assert_int_not_equal(pixels, -1);
	expect_descriptors(pixels, 5);
	close(pixels);
}

static void
test_without_memory_for_pixels_it_gives_five(void **state)
{
	(void)state;
	expect_descriptors(-1, 4);
}

static void
test_where_files_may_not_be_so_large_there_is_no_memory(void **state)
{
	struct failure why = { 0 };
	struct rlimit before, small;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 1 << 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(renderer_pixels(1, &why), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(why.detail, "RLIMIT_FSIZE"));
}

static void
test_says_where_the_memory_for_pixels_is(void **state)
{
	struct failure why = { 0 };
	int pixels = renderer_pixels(1, &why);
	struct started started = start_with(&ourselves, pixels);

	(void)state;
	assert_string_equal(started.findings.arguments[3], "--pixels=5");
	assert_int_equal(end(&started), 0);
	close(pixels);
}

static void
test_descriptors_may_sit_in_each_others_places(void **state)
{
	struct failure why = { 0 };
	struct findings findings;
	int sockets[2], lifeline[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	assert_int_equal(pipe2(lifeline, O_CLOEXEC), 0);
	set_receive_timeout(sockets[0]);
	/* All four far away, then the listener on 4 and the lifeline on 3. */
	for (unsigned i = 0; i < 2; i++) {
		sockets[i] = fcntl(sockets[i], F_DUPFD_CLOEXEC, 20);
		lifeline[i] = fcntl(lifeline[i], F_DUPFD_CLOEXEC, 20);
	}
	close_range(3, 19, 0);
	assert_int_equal(dup3(sockets[1], 4, O_CLOEXEC), 4);
	assert_int_equal(dup3(lifeline[0], 3, O_CLOEXEC), 3);
	pid = renderer_start(&ourselves, 4, 3, -1, &why);
	assert_string_equal(why.detail, "");
	assert_int_equal(recv(sockets[0], &findings, sizeof(findings), 0), sizeof(findings));
	close_range(3, 40, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_only_the_timer_can_interrupt_it(void **state)
{
	struct started started;

	(void)state;
	signal(SIGALRM, SIG_IGN);
	started = start_with(&ourselves, -1);
	signal(SIGALRM, SIG_DFL);
	assert_true(started.findings.blocks_term);
	assert_false(started.findings.blocks_alarm);
	assert_false(started.findings.ignores_alarm);
	assert_int_equal(kill(started.pid, SIGTERM), 0);
	assert_int_equal(waitpid(started.pid, NULL, WNOHANG), 0);
	assert_int_equal(end(&started), 0);
}

static void
test_our_own_signal_mask_is_left_as_it_was(void **state)
{
	sigset_t mask;
	struct started started = start_with(&ourselves, -1);

	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
	assert_int_equal(end(&started), 0);
}

static void
test_sees_no_secret_of_the_environment(void **state)
{
	struct started started;

	(void)state;
	setenv("VITRINE_CATALOG_PASSWORD", "secret", 1);
	started = start_with(&ourselves, -1);
	unsetenv("VITRINE_CATALOG_PASSWORD");
	assert_false(started.findings.sees_secret);
	assert_true(started.findings.is_in_root);
	assert_int_equal(end(&started), 0);
}

static void
test_a_program_that_cannot_be_executed_is_a_failure(void **state)
{
	static const char *const programs[] = { "/nonexistent/vitrine-renderer", "/etc/passwd", "/tmp" };

	(void)state;
	for (unsigned i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct renderer_config config = ourselves;
		struct failure why = { 0 };

		config.program = programs[i];
		assert_int_equal(renderer_start(&config, 0, 0, -1, &why), -1);
		assert_int_equal(why.kind, FAIL_INTERNAL);
		assert_non_null(strstr(why.detail, programs[i]));
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);	/* nothing is left to reap */
	}
}

static void
test_finds_the_program_that_is_configured_or_beside_us(void **state)
{
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	const char *program;

	(void)state;
	assert_true(renderer_find_program("/bin/true", arena, &program, &why));
	assert_string_equal(program, "/bin/true");
	assert_false(renderer_find_program("/nonexistent/program", arena, &program, &why));
	assert_int_equal(why.kind, FAIL_INTERNAL);
	failure_clear(&why);
	assert_false(renderer_find_program("", arena, &program, &why));
	assert_non_null(strstr(why.detail, "/tests/unit/vitrine-renderer: "));
	arena_free(arena);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes_the_options),
		cmocka_unit_test(test_gives_six_descriptors_and_no_other),
		cmocka_unit_test(test_without_memory_for_pixels_it_gives_five),
		cmocka_unit_test(test_where_files_may_not_be_so_large_there_is_no_memory),
		cmocka_unit_test(test_says_where_the_memory_for_pixels_is),
		cmocka_unit_test(test_descriptors_may_sit_in_each_others_places),
		cmocka_unit_test(test_only_the_timer_can_interrupt_it),
		cmocka_unit_test(test_our_own_signal_mask_is_left_as_it_was),
		cmocka_unit_test(test_sees_no_secret_of_the_environment),
		cmocka_unit_test(test_a_program_that_cannot_be_executed_is_a_failure),
		cmocka_unit_test(test_finds_the_program_that_is_configured_or_beside_us),
	};

	if (argc > 1 && strncmp(argv[1], "--listener=", 11) == 0)
		return play_renderer(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
