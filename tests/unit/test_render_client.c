/*
 * Against the real vitrine-renderer where it can play the part, and against
 * peers that break the protocol on purpose where it never would.
 */
#include "render/render_client.h"

#include "render/channel.h"
#include "render/renderer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A picture of 40 x 20, and one that keeps a renderer busy for many seconds. */
#define SMALL_SVG \
	"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\">" \
	"<rect width=\"40\" height=\"20\" fill=\"#c83229\"/></svg>"
#define SLOW_SVG \
	"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"3000\" height=\"3000\">" \
	"<filter id=\"f\"><feTurbulence baseFrequency=\"0.05\" numOctaves=\"60\"/></filter>" \
	"<rect width=\"3000\" height=\"3000\" filter=\"url(#f)\"/></svg>"

enum { PATIENCE_MS = 20000, QUEUE = 1 };

/* A listener, and a process behind it. */
struct peer {
	int listener;
	int lifeline[2];
	struct render_address address;
	pid_t pid;
};

static int
open_peer(void **state)
{
	static struct peer peer;
	struct failure why = { 0 };

	peer.pid = -1;
	peer.listener = render_listen(QUEUE, &why);
	assert_int_not_equal(peer.listener, -1);
	assert_true(render_address_of(peer.listener, &peer.address, &why));
	assert_int_equal(pipe2(peer.lifeline, O_CLOEXEC), 0);
	*state = &peer;
	return 0;
}

static void
start_renderer(struct peer *peer)
{
	struct renderer_config config = { .max_output_bytes = JOB_OUTPUT_BYTES_MAX };
	char self[4096], program[4200];
	struct failure why = { 0 };
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	/* build/tests/unit/test_render_client and build/vitrine-renderer */
	assert_true(length > 0);
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(program, sizeof(program), "%s/../../vitrine-renderer", self);
	config.program = program;
	peer->pid = renderer_start(&config, peer->listener, peer->lifeline[0], -1, &why);
	if (peer->pid == -1)
		fail_msg("%s (built by `make`)", why.detail);
}

/* What a played peer does with its first connection. */
typedef void behaviour(int connection, int listener);

static void
start_played(struct peer *peer, behaviour *behave)
{
	peer->pid = fork();
	assert_int_not_equal(peer->pid, -1);
	if (peer->pid != 0)
		return;
	alarm(PATIENCE_MS / 1000);
	for (;;) {
		int connection = accept(peer->listener, NULL, NULL);

		if (connection != -1)
			behave(connection, peer->listener);
		usleep(1000);
	}
}

/* The lifeline ends a renderer, which must leave with 0; a played one is killed. */
static int
close_peer(void **state)
{
	struct peer *peer = *state;

	close(peer->lifeline[0]);
	close(peer->lifeline[1]);
	if (peer->listener != -1)
		close(peer->listener);
	if (peer->pid != -1) {
		kill(peer->pid, SIGKILL);
		waitpid(peer->pid, NULL, 0);
	}
	return 0;
}

static int
file_of(const char *content)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	return fd;
}

static struct job
render_job(void)
{
	return (struct job){ JOB_RENDER, "w=10", "-", MEDIA_PNG, { 100000000, 100000000, 100, 1 << 24 },
		PATIENCE_MS, { 0 }, MEZZANINE_WITHOUT };
}

/* In full size, because a vector image is drawn no larger than it is wanted. */
static struct job
slow_job(unsigned timeout_ms)
{
	struct job job = render_job();

	job.recipe = "-";
	job.overlays = "-";
	job.timeout_ms = timeout_ms;
	return job;
}

struct run {
	bool is_done;
	struct job_result result;
	struct failure why;
	int64_t took_ms;
	int output;
};

static struct run
run(const struct peer *peer, const struct job *job, const char *picture, int64_t deadline_ms)
{
	struct run run = { .output = -1 };
	struct job_files files = { .input = file_of(picture), .output = -1, .mark = -1 };
	int64_t started_us = monotonic_us();

	if (job->operation == JOB_RENDER)
		run.output = files.output = file_of("");
	run.is_done = render_run(&peer->address, job, &files, deadline_in_ms(deadline_ms),
	    &run.result, &run.why);
	run.took_ms = (monotonic_us() - started_us) / 1000;
	close(files.input);
	return run;
}

static void
assert_failed(struct run *run, enum failure_kind kind, const char *words)
{
	if (run->output != -1)
		close(run->output);
	assert_false(run->is_done);
	assert_string_equal(failure_kind_name(run->why.kind), failure_kind_name(kind));
	if (strstr(run->why.detail, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", run->why.detail, words);
}

/* ---- with the real one ------------------------------------------------------------------ */

static void
test_renders_into_the_output(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();
	struct run made;
	unsigned char magic[4];

	start_renderer(peer);
	made = run(peer, &job, SMALL_SVG, PATIENCE_MS);
	if (!made.is_done)
		fail_msg("%s", made.why.detail);
	assert_int_equal(made.result.outcome.source.media, MEDIA_SVG);
	assert_int_equal(made.result.outcome.width, 10);
	assert_int_equal(made.result.outcome.height, 5);
	assert_int_equal(pread(made.output, magic, 4, 0), 4);
	assert_memory_equal(magic, "\x89PNG", 4);
	assert_int_equal(lseek(made.output, 0, SEEK_CUR), 0);
	close(made.output);
}

static void
test_describes_without_an_output(void **state)
{
	struct peer *peer = *state;
	struct job job = { JOB_DESCRIBE, "-", "-", MEDIA_NONE, { 1000, 1000, 1, 1 }, PATIENCE_MS, { 0 }, MEZZANINE_WITHOUT };
	struct run told;

	start_renderer(peer);
	told = run(peer, &job, SMALL_SVG, PATIENCE_MS);
	assert_true(told.is_done);
	assert_int_equal(told.result.outcome.source.width, 40);
	assert_int_equal(told.result.outcome.source.height, 20);
	assert_true(told.result.outcome.source.has_alpha);
}

static void
test_passes_on_what_the_renderer_says(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();
	struct run failed;

	start_renderer(peer);
	failed = run(peer, &job, "no picture", PATIENCE_MS);
	assert_failed(&failed, FAIL_UNSUPPORTED, "no format");
	job.limits.max_pixels = 799;
	failed = run(peer, &job, SMALL_SVG, PATIENCE_MS);
	assert_failed(&failed, FAIL_UNPROCESSABLE, "40 x 20");
	job = render_job();
	job.recipe = "w=nonsense";
	failed = run(peer, &job, SMALL_SVG, PATIENCE_MS);
	assert_failed(&failed, FAIL_BAD_REQUEST, "w");
}

static void
test_one_renderer_serves_many_jobs(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();

	start_renderer(peer);
	for (int i = 0; i < 5; i++) {
		struct run made = run(peer, &job, SMALL_SVG, PATIENCE_MS);

		assert_true(made.is_done);
		close(made.output);
	}
	assert_int_equal(waitpid(peer->pid, NULL, WNOHANG), 0);
}

static void
test_the_lifeline_ends_a_renderer_without_error(void **state)
{
	struct peer *peer = *state;
	int status;

	start_renderer(peer);
	close(peer->lifeline[1]);
	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	peer->pid = -1;
	peer->lifeline[1] = -1;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_the_timer_of_a_job_is_a_timeout(void **state)
{
	struct peer *peer = *state;
	struct job job = slow_job(150);
	struct run failed;
	int status;

	start_renderer(peer);
	failed = run(peer, &job, SLOW_SVG, PATIENCE_MS);
	assert_failed(&failed, FAIL_TIMEOUT, "150 ms");
	assert_in_range(failed.took_ms, 150, 5000);
	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	peer->pid = -1;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGALRM);
}

static void
test_the_deadline_is_a_timeout_and_ends_the_rendering_too(void **state)
{
	struct peer *peer = *state;
	struct job quick = render_job(), job = slow_job(PATIENCE_MS);
	int64_t started_us;
	struct run made, failed;
	int status;

	/* One that has just been started might find the job when it is too late already, and skip it. */
	start_renderer(peer);
	made = run(peer, &quick, SMALL_SVG, PATIENCE_MS);
	assert_true(made.is_done);
	close(made.output);
	started_us = monotonic_us();
	failed = run(peer, &job, SLOW_SVG, 300);
	assert_failed(&failed, FAIL_TIMEOUT, "deadline");
	assert_in_range(failed.took_ms, 300, 1500);
	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	peer->pid = -1;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	assert_in_range(monotonic_us() - started_us, 300 * 1000, 1500 * 1000);
}

static void
test_a_renderer_that_is_killed_died_of_the_image(void **state)
{
	struct peer *peer = *state;
	struct job job = slow_job(PATIENCE_MS);
	struct run failed;
	pid_t killer;

	start_renderer(peer);
	killer = fork();
	if (killer == 0) {
		usleep(400 * 1000);
		kill(peer->pid, SIGKILL);
		_exit(0);
	}
	failed = run(peer, &job, SLOW_SVG, PATIENCE_MS);
	waitpid(killer, NULL, 0);
	assert_failed(&failed, FAIL_CRASHED, "died of this image");
	assert_true(failed.result.ended_renderer);
}

static bool
after_a_while(void *state)
{
	const int64_t *end_us = state;

	return monotonic_us() >= *end_us;
}

/* In order, and at once, although the job has time left. */
static void
test_a_renderer_leaves_when_nobody_waits_any_more(void **state)
{
	struct peer *peer = *state;
	struct job job = slow_job(PATIENCE_MS), quick = render_job();
	struct run made;
	const struct job_files files = { file_of(SLOW_SVG), file_of(""), -1, -1 };
	int64_t end_us;
	struct vigil vigil = { .is_over = after_a_while, .state = &end_us };
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);
	struct failure why = { 0 };
	struct job_result result;
	int status;

	deadline.vigil = &vigil;
	start_renderer(peer);
	made = run(peer, &quick, SMALL_SVG, PATIENCE_MS);	/* it has started, and will take the next at once */
	assert_true(made.is_done);
	close(made.output);
	end_us = monotonic_us() + 300 * 1000;
	assert_false(render_run(&peer->address, &job, &files, deadline, &result, &why));
	assert_int_equal(why.kind, FAIL_TIMEOUT);
	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	peer->pid = -1;
	assert_in_range(monotonic_us(), end_us, end_us + 1500 * 1000);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(files.input);
	close(files.output);
}

/* A client that gave up is not worked for: the next one does not wait for it. */
static void
test_a_job_whose_client_has_gone_is_skipped(void **state)
{
	struct peer *peer = *state;
	struct job slow = slow_job(10000), quick = render_job();
	struct run failed, made;

	failed = run(peer, &slow, SLOW_SVG, 50);	/* nobody accepts yet */
	assert_failed(&failed, FAIL_TIMEOUT, "deadline");
	start_renderer(peer);
	made = run(peer, &quick, SMALL_SVG, 3000);
	assert_true(made.is_done);
	close(made.output);
}

/* ---- with peers that misbehave --------------------------------------------------------- */

/* Takes the job, so that the end of the connection is an end in mid-job. */
static void
take_job(int connection)
{
	char message[JOB_MESSAGE_MAX];
	int descriptors[2];
	unsigned count;

	if (channel_receive(connection, message, sizeof(message), descriptors, 2, &count) <= 0)
		_exit(1);
}

static void
say(int connection, const char *message)
{
	take_job(connection);
	if (!channel_send(connection, span_of(message), NULL, 0))
		_exit(1);
	close(connection);
}

#define RESULT(width, bytes, mezzanine) \
	"vitrine-result 5\nfailure none\nsource-media jpg\nsource-width 1\nsource-height 1\n" \
	"source-frames 1\nsource-orientation 1\nsource-alpha 0\nsource-progressive 0\n" \
	"width " width "\nheight 1\nframes 1\nbytes " bytes "\ndecode-us 1\ntotal-us 1\n" \
	"mezzanine " mezzanine "\nkept 0\n" \
	"colours -\nblurhash -\nthumbhash -\nplaceholder -\n"
#define LYING_RESULT(width, bytes) RESULT(width, bytes, "none")

static void
say_nonsense(int connection, int listener)
{
	(void)listener;
	say(connection, "HTTP/1.1 200 OK\n");
}

static void
say_more_bytes_than_there_are(int connection, int listener)
{
	(void)listener;
	say(connection, LYING_RESULT("1", "5"));
}

static void
say_it_made_nothing(int connection, int listener)
{
	(void)listener;
	say(connection, LYING_RESULT("0", "0"));
}

static void
say_forbidden(int connection, int listener)
{
	(void)listener;
	say(connection, "vitrine-result 5\nfailure forbidden\ndetail no\n");
}

static void
say_a_mezzanine_follows(int connection, int listener)
{
	(void)listener;
	say(connection, RESULT("1", "5", "follows"));
}

static void
say_another_version(int connection, int listener)
{
	(void)listener;
	say(connection, "vitrine-result 1\nall is well\n");
}

static void
send_a_descriptor_too(int connection, int listener)
{
	take_job(connection);
	if (!channel_send(connection, span_of(LYING_RESULT("1", "0")), &listener, 1))
		_exit(1);
	close(connection);
}

static void
close_without_reading(int connection, int listener)
{
	(void)listener;
	usleep(50 * 1000);	/* until the job is there, unread */
	close(connection);
}

static void
leave_before_the_start(int connection, int listener)
{
	(void)listener;
	take_job(connection);
	close(connection);
}

static void
leave_after_the_start(int connection, int listener)
{
	(void)listener;
	say(connection, JOB_STARTED);
}

static void
start_twice(int connection, int listener)
{
	(void)listener;
	take_job(connection);
	if (!channel_send(connection, span_of(JOB_STARTED), NULL, 0) ||
	    !channel_send(connection, span_of(JOB_STARTED), NULL, 0))
		_exit(1);
	close(connection);
}

static void
say_nothing(int connection, int listener)
{
	(void)connection, (void)listener;
}

static void
test_believes_no_answer_that_is_not_so(void **state)
{
	static const struct {
		behaviour *behave;
		enum failure_kind kind;
		const char *words;
	} peers[] = {
		{ say_nonsense, FAIL_INTERNAL, "malformed" },
		{ say_more_bytes_than_there_are, FAIL_INTERNAL, "told of 5 bytes" },
		{ say_it_made_nothing, FAIL_INTERNAL, "told of 0 bytes" },
		{ say_forbidden, FAIL_INTERNAL, "malformed" },
		{ say_a_mezzanine_follows, FAIL_INTERNAL, "not asked for" },
		{ say_another_version, FAIL_UNAVAILABLE, "version 1" },
		{ send_a_descriptor_too, FAIL_INTERNAL, "answer" },
		{ close_without_reading, FAIL_UNAVAILABLE, "took the job" },
		{ leave_before_the_start, FAIL_UNAVAILABLE, "before it began" },
		{ leave_after_the_start, FAIL_CRASHED, "died of this image" },
		{ start_twice, FAIL_INTERNAL, "malformed" },
	};
	struct peer *peer = *state;
	struct job job = render_job();

	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct run failed;

		start_played(peer, peers[i].behave);
		failed = run(peer, &job, SMALL_SVG, 5000);
		kill(peer->pid, SIGKILL);
		waitpid(peer->pid, NULL, 0);
		peer->pid = -1;
		assert_failed(&failed, peers[i].kind, peers[i].words);
		assert_int_equal(failed.result.ended_renderer, peers[i].kind == FAIL_CRASHED);
	}
}

static void
test_a_mezzanine_is_there_when_the_renderer_says_so(void **state)
{
	static const struct {
		const char *message;	/* NULL: it left */
		bool is_left;
	} cases[] = { { JOB_LEFT, true }, { "lef", false }, { JOB_STARTED, false }, { "left ", false }, { NULL, false } };
	int ends[2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
		if (cases[i].message != NULL)
			assert_true(channel_send(ends[1], span_of(cases[i].message), NULL, 0));
		close(ends[1]);
		assert_int_equal(render_wait_left(ends[0], deadline_in_ms(5000)), cases[i].is_left);
		assert_int_equal(fcntl(ends[0], F_GETFD), -1);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_false(render_wait_left(ends[0], deadline_in_ms(20)));
	close(ends[1]);
}

static void
test_waits_for_a_silent_renderer_until_the_deadline(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();
	struct run failed;

	start_played(peer, say_nothing);
	failed = run(peer, &job, SMALL_SVG, 200);
	assert_failed(&failed, FAIL_TIMEOUT, "deadline");
	assert_in_range(failed.took_ms, 200, 1500);
}

static int
connect_to(const struct peer *peer)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (const struct sockaddr *)&peer->address.address, peer->address.length) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
test_a_full_queue_is_busy_at_the_deadline(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();
	int waiting[QUEUE + 2], count = 0;
	struct run failed;

	while (count < QUEUE + 2 && (waiting[count] = connect_to(peer)) != -1)
		count++;
	failed = run(peer, &job, SMALL_SVG, 200);
	assert_failed(&failed, FAIL_BUSY, "free");
	assert_in_range(failed.took_ms, 200, 1500);
	while (count > 0)
		close(waiting[--count]);
}

static void
test_a_place_in_the_queue_is_taken_when_it_gets_free(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();
	int waiting[QUEUE + 2], count = 0;
	struct run made;

	while (count < QUEUE + 2 && (waiting[count] = connect_to(peer)) != -1)
		count++;
	while (count > 0)
		close(waiting[--count]);	/* they keep their places until they are accepted */
	start_renderer(peer);
	made = run(peer, &job, SMALL_SVG, PATIENCE_MS);
	assert_true(made.is_done);
	close(made.output);
}

static void
test_no_listener_is_unavailable(void **state)
{
	struct peer *peer = *state;
	struct job job = render_job();
	struct run failed;

	close(peer->listener);
	peer->listener = -1;
	failed = run(peer, &job, SMALL_SVG, 1000);
	assert_failed(&failed, FAIL_UNAVAILABLE, "reached");
	assert_in_range(failed.took_ms, 0, 500);
}

int
main(void)
{
#define WITH_PEER(test) cmocka_unit_test_setup_teardown(test, open_peer, close_peer)
	const struct CMUnitTest tests[] = {
		WITH_PEER(test_renders_into_the_output),
		WITH_PEER(test_describes_without_an_output),
		WITH_PEER(test_passes_on_what_the_renderer_says),
		WITH_PEER(test_one_renderer_serves_many_jobs),
		WITH_PEER(test_the_lifeline_ends_a_renderer_without_error),
		WITH_PEER(test_the_timer_of_a_job_is_a_timeout),
		WITH_PEER(test_the_deadline_is_a_timeout_and_ends_the_rendering_too),
		WITH_PEER(test_a_renderer_that_is_killed_died_of_the_image),
		WITH_PEER(test_a_renderer_leaves_when_nobody_waits_any_more),
		WITH_PEER(test_a_job_whose_client_has_gone_is_skipped),
		WITH_PEER(test_believes_no_answer_that_is_not_so),
		cmocka_unit_test(test_a_mezzanine_is_there_when_the_renderer_says_so),
		WITH_PEER(test_waits_for_a_silent_renderer_until_the_deadline),
		WITH_PEER(test_a_full_queue_is_busy_at_the_deadline),
		WITH_PEER(test_a_place_in_the_queue_is_taken_when_it_gets_free),
		WITH_PEER(test_no_listener_is_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
