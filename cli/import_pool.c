#include "cli/import_pool.h"

#include "base/check.h"
#include "cli/import_worker.h"
#include "render/renderer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TICK_MS = 200,
	EARLY_DEATHS_MAX = 5	/* of renderers, one after the other and without a result between */
};

struct import_pool {
	const struct import_plan *plan;
	const struct import_listener *listener;
	struct failure trouble;		/* why it was stopped, when not by a person */
	bool is_stopped, was_interrupted;
	uint64_t given, answered;

	int items, results;		/* our ends */
	int signals;			/* a signalfd */
	sigset_t signals_before;
	int worker_lifeline, renderer_lifeline[2];

	pid_t *workers;
	unsigned worker_count;

	struct renderer_config renderer;
	struct render_address address;
	int renderer_listener;
	pid_t *renderers;
	unsigned renderer_count, early_deaths;
};

/* ---- renderers --------------------------------------------------------------------- */

static bool
start_renderer(struct import_pool *pool, unsigned place, struct failure *why)
{
	pool->renderers[place] = renderer_start(&pool->renderer, pool->renderer_listener, pool->renderer_lifeline[0],
	    -1, why);
	return pool->renderers[place] != -1;
}

static bool
open_renderers(struct import_pool *pool, struct arena *arena, struct failure *why)
{
	const struct render_settings *settings = &pool->plan->settings->render;

	pool->renderer = settings->process;
	pool->renderer_count = settings->renderers;
	if (pool->renderer_count > pool->plan->jobs)
		pool->renderer_count = pool->plan->jobs;
	pool->renderers = arena_alloc(arena, pool->renderer_count * sizeof(pid_t));
	if (!renderer_find_program(settings->process.program, arena, &pool->renderer.program, why))
		return false;
	pool->renderer_listener = render_listen(pool->plan->jobs, why);
	if (pool->renderer_listener == -1 || !render_address_of(pool->renderer_listener, &pool->address, why))
		return false;
	for (unsigned i = 0; i < pool->renderer_count; i++)
		if (!start_renderer(pool, i, why))
			return false;
	return true;
}

/* ---- workers ----------------------------------------------------------------------- */

/* What only the parent may hold: a lifeline or a socket ends when its last
 * holder closes it. */
static void
drop_parents_descriptors(struct import_pool *pool)
{
	close(pool->items);
	close(pool->results);
	close(pool->worker_lifeline);
	close(pool->renderer_lifeline[0]);
	close(pool->renderer_lifeline[1]);
	close(pool->renderer_listener);
	close(pool->signals);
}

static bool
open_workers(struct import_pool *pool, struct arena *arena, struct failure *why)
{
	int items[2], results[2], lifeline[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, items) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, results) == -1 || pipe2(lifeline, O_CLOEXEC) == -1)
		return fail(why, FAIL_INTERNAL, "cannot make sockets for the workers: %s", strerror(errno));
	pool->items = items[0];
	pool->results = results[0];
	pool->worker_lifeline = lifeline[1];
	pool->workers = arena_alloc(arena, pool->plan->jobs * sizeof(pid_t));
	fflush(NULL);
	while (pool->worker_count < pool->plan->jobs) {
		pid_t pid = fork();

		if (pid == 0) {
			drop_parents_descriptors(pool);
			_exit(import_worker_run(pool->plan, &pool->address, items[1], results[1], lifeline[0]));
		}
		if (pid == -1)
			break;
		pool->workers[pool->worker_count++] = pid;
	}
	close(items[1]);
	close(results[1]);
	close(lifeline[0]);
	return pool->worker_count > 0 || fail(why, FAIL_INTERNAL, "cannot start a worker: %s", strerror(errno));
}

static void
kill_all(const pid_t *pids, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
}

/* ---- what happens meanwhile ---------------------------------------------------------- */

static void
give_up(struct import_pool *pool, const struct failure *why)
{
	if (pool->trouble.kind == FAIL_NONE)
		pool->trouble = *why;
	import_pool_stop(pool);
}

static void
close_listener(struct import_pool *pool)
{
	if (pool->renderer_listener != -1)
		close(pool->renderer_listener);
	pool->renderer_listener = -1;
}

static void
replace_renderer(struct import_pool *pool, unsigned place, int status)
{
	struct failure why = { 0 };

	pool->renderers[place] = -1;
	if (pool->renderer_listener == -1)
		return;
	/* Leaving after its last job is how a renderer ends; anything else is counted. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
		pool->early_deaths++;
	if (pool->early_deaths > EARLY_DEATHS_MAX)
		(void)fail(&why, FAIL_INTERNAL, "the renderers end as soon as they are started");
	else if (start_renderer(pool, place, &why))
		return;
	give_up(pool, &why);
	/* Jobs that wait for a renderer end now instead of at their deadline. */
	close_listener(pool);
}

static void
reap(struct import_pool *pool)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < pool->worker_count; i++)
			if (pool->workers[i] == pid)
				pool->workers[i] = -1;
		for (unsigned i = 0; i < pool->renderer_count; i++)
			if (pool->renderers[i] == pid)
				replace_renderer(pool, i, status);
	}
}

static void
take_signals(struct import_pool *pool)
{
	struct signalfd_siginfo signal;

	while (read(pool->signals, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo == SIGCHLD) {
			reap(pool);
		} else if (pool->was_interrupted) {
			kill_all(pool->workers, pool->worker_count);
			kill_all(pool->renderers, pool->renderer_count);
		} else {
			pool->was_interrupted = true;
			import_pool_stop(pool);
		}
	}
}

/* False when no worker is left that could send one. */
static bool
take_results(struct import_pool *pool)
{
	struct import_result result;
	ssize_t got;

	while ((got = recv(pool->results, &result, sizeof(result), MSG_DONTWAIT)) > 0) {
		pool->answered++;
		pool->early_deaths = 0;
		pool->listener->on_result(pool->listener->state, &result);
	}
	return got == -1 && errno == EAGAIN;
}

/* Until something happens, at most a tick.  False when no worker is left. */
static bool
wait_for_news(struct import_pool *pool, bool for_room)
{
	struct pollfd wait[] = {
		{ pool->signals, POLLIN, 0 }, { pool->results, POLLIN, 0 }, { for_room ? pool->items : -1, POLLOUT, 0 }
	};

	(void)poll(wait, 3, TICK_MS);
	take_signals(pool);
	pool->listener->on_wait(pool->listener->state);
	return take_results(pool);
}

/* ---- the pool ------------------------------------------------------------------------ */

static bool
open_signals(struct import_pool *pool, struct failure *why)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	CHECK(sigprocmask(SIG_BLOCK, &set, &pool->signals_before) != -1);
	pool->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (pool->signals == -1)
		return fail(why, FAIL_INTERNAL, "cannot watch for signals: %s", strerror(errno));
	return true;
}

struct import_pool *
import_pool_open(struct arena *arena, const struct import_plan *plan, const struct import_listener *listener,
    struct failure *why)
{
	struct import_pool *pool = arena_alloc(arena, sizeof(*pool));

	pool->plan = plan;
	pool->listener = listener;
	pool->items = pool->results = pool->signals = pool->worker_lifeline = pool->renderer_listener = -1;
	if (!open_signals(pool, why))
		return NULL;
	if (pipe2(pool->renderer_lifeline, O_CLOEXEC) == -1) {
		(void)fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	/* What was started already leaves with the lifelines, when this process ends. */
	if (!open_renderers(pool, arena, why) || !open_workers(pool, arena, why))
		return NULL;
	return pool;
}

bool
import_pool_give(struct import_pool *pool, const struct import_item *item)
{
	size_t length = offsetof(struct import_item, key) + strlen(item->key) + 1;

	take_signals(pool);
	(void)take_results(pool);
	while (!pool->is_stopped) {
		if (send(pool->items, item, length, MSG_DONTWAIT | MSG_NOSIGNAL) != -1) {
			pool->given++;
			return true;
		}
		if (errno != EAGAIN || !wait_for_news(pool, true)) {
			struct failure why = { 0 };

			(void)fail(&why, FAIL_INTERNAL, "no worker is left");
			give_up(pool, &why);
		}
	}
	return false;
}

void
import_pool_stop(struct import_pool *pool)
{
	if (pool->is_stopped)
		return;
	pool->is_stopped = true;
	close(pool->worker_lifeline);
	pool->worker_lifeline = -1;
}

static void
end_renderers(struct import_pool *pool)
{
	close(pool->renderer_lifeline[1]);
	for (unsigned i = 0; i < pool->renderer_count; i++)
		while (pool->renderers[i] > 0 && waitpid(pool->renderers[i], NULL, 0) == -1 && errno == EINTR)
			;
	close(pool->renderer_lifeline[0]);
	close_listener(pool);
}

static void
end_workers(struct import_pool *pool)
{
	close(pool->items);
	while (wait_for_news(pool, false))
		;
	for (unsigned i = 0; i < pool->worker_count; i++)
		while (pool->workers[i] > 0 && waitpid(pool->workers[i], NULL, 0) == -1 && errno == EINTR)
			;
	if (pool->worker_lifeline != -1)
		close(pool->worker_lifeline);
	close(pool->results);
}

bool
import_pool_close(struct import_pool *pool, struct failure *why)
{
	end_workers(pool);
	end_renderers(pool);
	close(pool->signals);
	CHECK(sigprocmask(SIG_SETMASK, &pool->signals_before, NULL) != -1);
	if (pool->trouble.kind != FAIL_NONE) {
		*why = pool->trouble;
		return false;
	}
	if (pool->was_interrupted)
		return fail(why, FAIL_INTERNAL, "interrupted; importing again continues");
	if (pool->answered < pool->given && !pool->is_stopped)
		return fail(why, FAIL_INTERNAL, "%" PRIu64 " objects were lost with a worker that died; "
		    "importing again continues", pool->given - pool->answered);
	return true;
}
