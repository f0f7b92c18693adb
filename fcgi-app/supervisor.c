#include "fcgi-app/supervisor.h"

#include "base/check.h"
#include "base/deadline.h"
#include "fcgi-app/access_log.h"
#include "fcgi-app/exit_code.h"
#include "fcgi-app/listener.h"
#include "fcgi-app/responder.h"
#include "fcgi-app/server.h"
#include "fcgi-app/shared.h"
#include "render/render_client.h"
#include "render/renderer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/* Where the sockets are, after systemd's activation, after binding, and
	 * after executing ourselves: always the same numbers. */
	LISTENER_FD = 3,
	RENDERER_LISTENER_FD = 4,

	CHILDREN_MAX = ROSTER_MAX,	/* each responder has a number on the roster */
	UNTAKEN_MS = 50,		/* a connection that nobody accepts */
	CHECK_TIMEOUT_S = 10,
	STOP_GRACE_MS = 10000,		/* beyond a request's own time limit */
	STOP_POLL_MS = 1000,
	EARLY_DEATH_MS = 1000,		/* a child that lived shorter has not worked at all */
	PAUSE_MIN_MS = 250,
	/* Pictures that kill renderers must not keep others waiting for long. */
	PAUSE_MAX_MS = 5000
};

/* Says to the program that a reload executes that the sockets are there: how
 * many processes are still to be reaped, a space, and where it listens. */
#define INHERITED_VARIABLE "VITRINE_INHERITED"

enum role { RESPONDER, RENDERER, ROLE_COUNT };

static const char *const role_names[ROLE_COUNT] = { "responder", "renderer" };

/* Why SIGSYS: renderer/system_calls.h. */
static const char sandbox_reason[] = "a system call that its sandbox forbids: a decoder was taken over";

struct child {
	pid_t pid;		/* 0: none */
	enum role role;
	int64_t born_us;
};

struct supervisor {
	const struct settings *settings;
	const char *program;
	char **argv;
	struct shortcuts *shortcuts;	/* of its responders */
	const char *listen;		/* what LISTENER_FD really is bound to */
	struct arena *arena;
	struct child children[CHILDREN_MAX];
	unsigned older;			/* children of the generations before a reload */
	unsigned wanted[ROLE_COUNT];
	struct deadline hold[ROLE_COUNT];	/* no new child before this */
	int64_t pause_ms[ROLE_COUNT];
	int lifeline[ROLE_COUNT][2];
	int drain[2];
	int bell;			/* duty.h */
	int pixels;			/* of its renderers; -1: they keep none */
	int signals;			/* readable when there is one to take */
};

/* ---- signals ------------------------------------------------------------------- */

static void
fill_signals(sigset_t *signals)
{
	static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGQUIT };

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(signals, taken[i]);
}

void
supervisor_block_signals(void)
{
	sigset_t signals;

	fill_signals(&signals);
	CHECK(sigprocmask(SIG_BLOCK, &signals, NULL) == 0);
}

/* The next signal, or 0. */
static int
take_signal(void)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t signals;
	int number;

	fill_signals(&signals);
	number = sigtimedwait(&signals, NULL, &at_once);
	return number == -1 ? 0 : number;
}

static bool
is_readable(int fd, int timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, timeout_ms) > 0;
}

/* The next signal, or 0 when the time is up, or sooner.  A connection wakes us too, but is left
 * to the responders; when they do not take it, those who should are frozen. */
static int
wait_for_signal(const struct supervisor *supervisor, struct deadline until)
{
	struct pollfd ready[] = {
		{ .fd = supervisor->signals, .events = POLLIN },
		{ .fd = LISTENER_FD, .events = POLLIN },
	};

	if (poll(ready, 2, deadline_left_ms(until)) > 0 && ready[0].revents == 0 &&
	    !is_readable(supervisor->signals, UNTAKEN_MS) && is_readable(LISTENER_FD, 0))
		roster_call(&supervisor->shortcuts->roster, supervisor->bell);
	return take_signal();
}

/* ---- children ------------------------------------------------------------------ */

static unsigned
count_children(const struct supervisor *supervisor, enum role role)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		count += supervisor->children[i].pid != 0 && supervisor->children[i].role == role;
	return count;
}

static void
pause_role(struct supervisor *supervisor, enum role role, const char *reason)
{
	int64_t *pause_ms = &supervisor->pause_ms[role];
	int64_t since_ms = (monotonic_us() - supervisor->hold[role].at_us) / 1000;

	/* Those who die together die of one thing. */
	if (!deadline_has_passed(supervisor->hold[role]))
		return;
	*pause_ms = since_ms > 2 * EARLY_DEATH_MS || *pause_ms == 0 ? PAUSE_MIN_MS : *pause_ms * 2;
	if (*pause_ms > PAUSE_MAX_MS)
		*pause_ms = PAUSE_MAX_MS;
	supervisor->hold[role] = deadline_in_ms(*pause_ms);
	log_event("start-paused", reason, "role=%s pause_ms=%lld", role_names[role], (long long)*pause_ms);
}

static pid_t
start_responder(struct supervisor *supervisor, unsigned number)
{
	struct responder_config config = {
		.duty = {
			.listener = LISTENER_FD,
			.leave = supervisor->lifeline[RESPONDER][0],
			.bell = supervisor->bell,
			.roster = &supervisor->shortcuts->roster,
			.number = number,
		},
		.renderer_listener = RENDERER_LISTENER_FD,
		.drain = supervisor->drain[0],
		.shortcuts = supervisor->shortcuts,
	};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* A copy of a write end in a child would keep the generation alive. */
	close(supervisor->lifeline[RESPONDER][1]);
	close(supervisor->lifeline[RENDERER][1]);
	close(supervisor->lifeline[RENDERER][0]);
	close(supervisor->drain[1]);
	close(supervisor->signals);
	if (supervisor->pixels != -1)
		close(supervisor->pixels);
	exit(responder_run(supervisor->settings, &config));
}

static bool
start_child(struct supervisor *supervisor, enum role role)
{
	struct failure why = { 0 };
	struct child *child = supervisor->children;

	while (child < supervisor->children + CHILDREN_MAX && child->pid != 0)
		child++;
	CHECK(child < supervisor->children + CHILDREN_MAX);
	child->born_us = monotonic_us();
	child->role = role;
	if (role == RESPONDER) {
		child->pid = start_responder(supervisor, (unsigned)(child - supervisor->children));
		if (child->pid == -1)
			fail(&why, FAIL_INTERNAL, "cannot fork: %s", strerror(errno));
	} else {
		child->pid = renderer_start(&supervisor->settings->render.process, RENDERER_LISTENER_FD,
		    supervisor->lifeline[RENDERER][0], supervisor->pixels, &why);
	}
	if (child->pid != -1)
		return true;
	child->pid = 0;
	pause_role(supervisor, role, why.detail);
	return false;
}

static void
start_missing(struct supervisor *supervisor)
{
	for (enum role role = 0; role < ROLE_COUNT; role++)
		while (count_children(supervisor, role) < supervisor->wanted[role] &&
		    deadline_has_passed(supervisor->hold[role]))
			if (!start_child(supervisor, role))
				break;
}

static void
note_death(struct supervisor *supervisor, struct child *child, int status)
{
	enum role role = child->role;
	int64_t age_ms = (monotonic_us() - child->born_us) / 1000;

	child->pid = 0;
	/* For a renderer too: as long as children die, nobody looks whether connections are taken. */
	roster_call(&supervisor->shortcuts->roster, supervisor->bell);
	if (WIFSIGNALED(status))
		log_event("child-killed", WTERMSIG(status) == SIGSYS ? sandbox_reason : NULL,
		    "role=%s signal=%d age_ms=%lld", role_names[role], WTERMSIG(status), (long long)age_ms);
	else if (WEXITSTATUS(status) != 0)
		log_event("child-failed", NULL, "role=%s code=%d age_ms=%lld", role_names[role], WEXITSTATUS(status),
		    (long long)age_ms);
	if (age_ms < EARLY_DEATH_MS && supervisor->wanted[role] > 0 &&
	    (WIFSIGNALED(status) || WEXITSTATUS(status) != 0))
		pause_role(supervisor, role, "it died at once");
}

static struct child *
find_child(struct supervisor *supervisor, pid_t pid)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (supervisor->children[i].pid == pid)
			return &supervisor->children[i];
	return NULL;
}

/* SIGCHLD coalesces: reap until nothing is left. */
static void
reap(struct supervisor *supervisor)
{
	struct child *child;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		child = find_child(supervisor, pid);
		if (child != NULL)
			note_death(supervisor, child, status);
		else if (supervisor->older > 0)		/* as process 1 we also reap strangers */
			supervisor->older--;
	}
}

/* ---- reload -------------------------------------------------------------------- */

/* Asks the program on disk whether it likes the configuration on disk. */
static bool
new_configuration_is_valid(const struct supervisor *supervisor)
{
	char check[] = "--check-config";
	unsigned count = 0;
	int status;
	char **argv;
	pid_t pid;

	while (supervisor->argv[count] != NULL)
		count++;
	argv = calloc(count + 2, sizeof(*argv));
	CHECK(argv != NULL);
	memcpy(argv, supervisor->argv, count * sizeof(*argv));
	argv[count] = check;
	pid = fork();
	if (pid == 0) {
		/* The alarm outlives exec: a check that hangs has failed. */
		alarm(CHECK_TIMEOUT_S);
		execv(supervisor->program, argv);
		_exit(EXIT_ENVIRONMENT);
	}
	free(argv);
	return pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
reload(struct supervisor *supervisor)
{
	unsigned older = supervisor->older + count_children(supervisor, RESPONDER) +
	    count_children(supervisor, RENDERER);

	if (!new_configuration_is_valid(supervisor)) {
		log_event("reload-refused", "the new configuration is not valid; going on with the old one", "%s", "");
		return;
	}
	log_event("reload", NULL, "program=%s", supervisor->program);
	/* Everything but the two sockets is close-on-exec; the lifelines end
	 * this generation, which finishes its requests while the next one starts. */
	CHECK(setenv(INHERITED_VARIABLE, arena_printf(supervisor->arena, "%u %s", older, supervisor->listen), 1) == 0);
	execv(supervisor->program, supervisor->argv);
	log_event("reload-failed", strerror(errno), "program=%s", supervisor->program);
}

/* ---- stop ---------------------------------------------------------------------- */

static void
kill_children(struct supervisor *supervisor, enum role role)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (supervisor->children[i].pid != 0 && supervisor->children[i].role == role) {
			log_event("child-killed-at-stop", NULL, "role=%s pid=%d", role_names[role],
			    (int)supervisor->children[i].pid);
			kill(supervisor->children[i].pid, SIGKILL);
		}
}

/* Older responders count too: they may still need our renderers, and renderers
 * that leave meanwhile are replaced.  Who has not finished when the time is up
 * sends to a very slow client, or is stuck. */
static void
wait_for_children(struct supervisor *supervisor, enum role role, struct deadline end)
{
	while (count_children(supervisor, role) > 0 || supervisor->older > 0) {
		if (deadline_has_passed(end)) {
			kill_children(supervisor, role);
			supervisor->older = 0;
			end = deadline_in_ms(STOP_GRACE_MS);
		}
		wait_for_signal(supervisor, deadline_within_ms(end, STOP_POLL_MS));
		reap(supervisor);
		start_missing(supervisor);
	}
}

/* Health turns bad at once; requests are served until the time is up. */
static void
drain(struct supervisor *supervisor)
{
	struct deadline end = deadline_in_ms((int64_t)supervisor->settings->server.drain_s * 1000);

	log_event("drain", NULL, "seconds=%u", supervisor->settings->server.drain_s);
	CHECK(write(supervisor->drain[1], "", 1) == 1);
	while (!deadline_has_passed(end)) {
		int number = wait_for_signal(supervisor, end);

		if (number == SIGTERM || number == SIGINT)
			return;
		reap(supervisor);
		start_missing(supervisor);
	}
}

static int
stop(struct supervisor *supervisor)
{
	const struct settings *settings = supervisor->settings;

	drain(supervisor);
	listener_unlink(supervisor->listen);
	supervisor->wanted[RESPONDER] = 0;
	close(supervisor->lifeline[RESPONDER][1]);
	wait_for_children(supervisor, RESPONDER, deadline_in_ms(settings->server.request_timeout_ms + STOP_GRACE_MS));
	/* Only now: the last requests may have needed them. */
	supervisor->wanted[RENDERER] = 0;
	close(supervisor->lifeline[RENDERER][1]);
	wait_for_children(supervisor, RENDERER, deadline_in_ms(settings->render.timeout_ms + STOP_GRACE_MS));
	log_event("stopped", NULL, "%s", "");
	return 0;
}

/* ---- start --------------------------------------------------------------------- */

/* Moves a descriptor to a fixed number that survives exec. */
static bool
place_descriptor(int fd, int number, struct failure *why)
{
	if (fd == number) {
		if (fcntl(fd, F_SETFD, 0) == 0)
			return true;
	} else if (dup2(fd, number) != -1) {
		close(fd);
		return true;
	}
	return fail(why, FAIL_INTERNAL, "cannot place a descriptor: %s", strerror(errno));
}

/* sd_listen_fds(3): the service manager may have bound the socket for us. */
static bool
socket_is_activated(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t for_pid;

	return count != NULL && pid != NULL && strcmp(count, "1") == 0 &&
	    span_to_u64(span_of(pid), 1, INT32_MAX, &for_pid) && (pid_t)for_pid == getpid() &&
	    descriptor_is_listener(LISTENER_FD);
}

/* After a reload: what the supervisor before us left in place. */
static bool
take_inherited(struct supervisor *supervisor)
{
	const char *inherited = getenv(INHERITED_VARIABLE);
	struct span listen = span_of(inherited != NULL ? inherited : "");
	struct span count = span_cut(&listen, ' ');
	uint64_t older;

	if (listen.at == NULL || !span_to_u64(count, 0, UINT32_MAX, &older) ||
	    !descriptor_is_listener(LISTENER_FD) || !descriptor_is_listener(RENDERER_LISTENER_FD))
		return false;
	supervisor->older = (unsigned)older;
	supervisor->listen = arena_copy_bytes(supervisor->arena, listen.at, listen.length);
	unsetenv(INHERITED_VARIABLE);
	return true;
}

static bool
take_listeners(struct supervisor *supervisor, struct failure *why)
{
	const char *listen = supervisor->settings->server.listen;
	int fd;

	if (take_inherited(supervisor)) {
		if (strcmp(supervisor->listen, listen) != 0 && supervisor->listen[0] != '\0')
			log_event("setting-ignored", "to listen elsewhere, stop and start", "setting=server.listen");
		return true;
	}
	if (socket_is_activated()) {
		supervisor->listen = "";	/* its name is not ours to remove */
	} else {
		supervisor->listen = listen;
		fd = listener_open(&supervisor->settings->server, why);
		if (fd == -1 || !place_descriptor(fd, LISTENER_FD, why))
			return false;
	}
	fd = render_listen(supervisor->settings->render.queue, why);
	return fd != -1 && place_descriptor(fd, RENDERER_LISTENER_FD, why);
}

void
supervisor_reserve_descriptors(void)
{
	for (int fd = 0; fd <= RENDERER_LISTENER_FD; fd++)
		if (fcntl(fd, F_GETFD) == -1) {
			int null = open("/dev/null", O_RDWR);

			CHECK(null == fd);
		}
}

static bool
supervisor_open(struct supervisor *supervisor, struct failure *why)
{
	const struct settings *settings = supervisor->settings;
	struct failure no_pixels = { 0 };
	sigset_t signals;

	if (!take_listeners(supervisor, why))
		return false;
	if (pipe2(supervisor->lifeline[RESPONDER], O_CLOEXEC) == -1 ||
	    pipe2(supervisor->lifeline[RENDERER], O_CLOEXEC) == -1 || pipe2(supervisor->drain, O_CLOEXEC) == -1)
		return fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
	fill_signals(&signals);
	supervisor->bell = bell_new();
	supervisor->signals = signalfd(-1, &signals, SFD_CLOEXEC);
	if (supervisor->bell == -1 || supervisor->signals == -1)
		return fail(why, FAIL_INTERNAL, "cannot make a descriptor: %s", strerror(errno));
	supervisor->wanted[RESPONDER] = settings->server.responders;
	supervisor->wanted[RENDERER] = settings->render.renderers;
	supervisor->pixels = renderer_pixels(settings->render.renderers, &no_pixels);
	if (supervisor->pixels == -1)
		log_event("pixels-not-kept", no_pixels.detail, "%s", "");
	return true;
}

int
supervisor_run(const struct settings *settings, const char *program, char **argv)
{
	static struct supervisor supervisor;
	struct failure why = { 0 };

	supervisor = (struct supervisor){
		.settings = settings,
		.program = program,
		.argv = argv,
		.arena = arena_new(),
		.shortcuts = shortcuts_new(),
	};
	if (!supervisor_open(&supervisor, &why)) {
		fprintf(stderr, "vitrine.fcgi: %s\n", why.detail);
		return EXIT_ENVIRONMENT;
	}
	log_event("started", NULL, "listen=%s responders=%u renderers=%u",
	    supervisor.listen[0] != '\0' ? supervisor.listen : "(activated)", supervisor.wanted[RESPONDER],
	    supervisor.wanted[RENDERER]);
	server_log_sandbox(settings);
	for (;;) {
		struct deadline until = deadline_in_ms(3600 * 1000);

		start_missing(&supervisor);
		for (enum role role = 0; role < ROLE_COUNT; role++)
			if (count_children(&supervisor, role) < supervisor.wanted[role] &&
			    supervisor.hold[role].at_us < until.at_us)
				until = supervisor.hold[role];
		switch (wait_for_signal(&supervisor, until)) {
		case SIGHUP:
			reload(&supervisor);
			break;
		case SIGTERM:
		case SIGINT:
			return stop(&supervisor);
		}
		reap(&supervisor);
	}
}
