#include "renderer/serve.h"

#include "base/arena.h"
#include "base/check.h"
#include "image/image.h"
#include "recipe/recipe.h"
#include "render/channel.h"
#include "render/job.h"
#include "renderer/limits.h"
#include "renderer/resident.h"
#include "renderer/sanitizer.h"
#include "renderer/watch.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	JOB_ARRIVES_MS = 1000,	/* a client sends its job with the connection; one that does not is broken */
	KEEP_MS = 2000		/* without work: the sizes of a page are asked within less */
};

/* One connection: its job, and what came with it. */
struct visit {
	int connection;
	int descriptors[JOB_DESCRIPTORS_MAX];
	unsigned descriptor_count;
	struct arena *arena;
	struct job job;
	struct job_result result;
	struct image_base *base;	/* what a mezzanine is to be made of, once the variant has been answered */
	struct image_kept *kept;	/* across visits */
};

/* ---- one job ------------------------------------------------------------------------ */

/* The socket's name is no secret: any process of this machine may connect. */
static bool
is_one_of_us(int connection)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0);
}

static bool
wait_for_job(int connection)
{
	struct pollfd arrival = { connection, POLLIN, 0 };

	return poll(&arrival, 1, JOB_ARRIVES_MS) == 1;
}

/* Nobody is left to want the result: its deadline passed while it queued. */
static bool
client_is_gone(int connection)
{
	struct pollfd end = { connection, POLLRDHUP, 0 };

	return poll(&end, 1, 0) == 1;
}

static bool
job_is_complete(const struct visit *visit, struct failure *why)
{
	unsigned wanted = job_file_count(&visit->job);

	if (visit->descriptor_count != wanted)
		return fail(why, FAIL_INTERNAL, "the job came with %u descriptors, not %u",
		    visit->descriptor_count, wanted);
	return true;
}

static bool
render(struct visit *visit, struct failure *why)
{
	struct overlays overlays;
	struct recipe recipe;
	struct image_work image;

	if (!overlays_parse(span_of(visit->job.overlays), &overlays))
		return fail(why, FAIL_INTERNAL, "malformed overlays: %.160s", visit->job.overlays);
	if (!recipe_parse(span_of(visit->job.recipe), NULL, &recipe, why))
		return false;
	if (recipe.is_original)
		return fail(why, FAIL_INTERNAL, "an untouched original is not rendered");
	/* The client resolves it; what it left open is the centre. */
	recipe_resolve_focus(&recipe, false, 0, 0);
	image = (struct image_work){
		.input = visit->descriptors[0],
		.output = visit->descriptors[1],
		.mark = overlays.mark.is_set ? visit->descriptors[2] : -1,
		.mezzanine_wish = visit->job.mezzanine,
		.mezzanine = visit->descriptors[visit->descriptor_count - 1],
		.base = &visit->base,
		.kept = visit->kept,
		.recipe = &recipe,
		.overlays = &overlays,
		.format = visit->job.format,
		.limits = visit->job.limits,
	};
	return image_render(&image, &visit->result.outcome, why);
}

static bool
work(struct visit *visit, struct failure *why)
{
	if (!job_is_complete(visit, why))
		return false;
	if (visit->job.operation == JOB_DESCRIBE)
		return image_describe(visit->descriptors[0], &visit->job.limits,
		    &visit->result.outcome.source, &visit->result.portrait, why);
	return render(visit, why);
}

/* From here on the kernel ends us when the job has had its time, or when nobody
 * waits for it any longer.  False when that is now. */
static bool
arm_timer(const struct job *job)
{
	int left_ms = deadline_left_ms(deadline_within_ms(job->deadline, job->timeout_ms));
	struct itimerval timer = { .it_value = { left_ms / 1000, left_ms % 1000 * 1000 } };

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	return left_ms > 0;
}

static void
disarm_timer(void)
{
	struct itimerval off = { 0 };

	CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
}

/* What the client waits for from now on is not the queue. */
static bool
say_started(const struct visit *visit)
{
	return channel_send(visit->connection, span_of(JOB_STARTED), NULL, 0);
}

static void
answer(struct visit *visit)
{
	struct text message;

	text_init(&message, visit->arena, JOB_MESSAGE_MAX);
	job_result_print(&visit->result, &message);
	CHECK(!message.was_cut);
	/* A client that has gone meanwhile needs no answer. */
	(void)!channel_send(visit->connection, text_span(&message), NULL, 0);
}

/* The client has its variant, and waits for no more than this. */
static void
leave_mezzanine(const struct visit *visit)
{
	struct failure why = { 0 };
	int output = visit->descriptors[visit->descriptor_count - 1];
	bool is_left = image_leave_mezzanine(visit->base, output, visit->job.limits.max_output_bytes, &why);

	watch_end();
	if (is_left)
		(void)!channel_send(visit->connection, span_of(JOB_LEFT), NULL, 0);
}

/* As soon as it has its answer, the client may hang up: that is no reason to end then. */
static void
do_job(struct visit *visit)
{
	watch_begin(visit->connection);
	(void)!work(visit, &visit->result.failure);
	if (visit->base == NULL)
		watch_end();
	answer(visit);
	if (visit->base != NULL)
		leave_mezzanine(visit);
	disarm_timer();
}

/* False when there is no job here, or nobody who wants it. */
static bool
take_job(struct visit *visit)
{
	char message[JOB_MESSAGE_MAX];
	ssize_t got;

	if (!is_one_of_us(visit->connection) || !wait_for_job(visit->connection))
		return false;
	got = channel_receive(visit->connection, message, sizeof(message), visit->descriptors,
	    JOB_DESCRIPTORS_MAX, &visit->descriptor_count);
	if (got <= 0 || client_is_gone(visit->connection))
		return false;
	if (!job_parse(span_range(message, (size_t)got), visit->arena, &visit->job, &visit->result.failure)) {
		answer(visit);
		return false;
	}
	return true;
}

/* True when it was work. */
static bool
serve_one(int connection, struct image_kept *kept)
{
	struct visit visit = { .connection = connection, .arena = arena_new(), .kept = kept };
	bool is_job = take_job(&visit) && arm_timer(&visit.job) && say_started(&visit);

	if (is_job)
		do_job(&visit);
	for (unsigned i = 0; i < visit.descriptor_count; i++)
		close(visit.descriptors[i]);
	close(connection);
	arena_free(visit.arena);
	return is_job;
}

/* ---- one after the other ---------------------------------------------------------------- */

/* Ten per cent more or less, so that renderers that began together do not all
 * leave together. */
static unsigned
with_jitter(unsigned jobs)
{
	uint32_t random;
	unsigned tenth = jobs / 10;

	if (tenth == 0 || getrandom(&random, sizeof(random), 0) != sizeof(random))
		return jobs;
	return jobs - tenth + random % (2 * tenth + 1);
}

/* What was kept for the next jobs goes back to the system, also what glibc keeps.  False when others still use
 * some of it. */
static bool
forget(struct image_kept *kept)
{
	bool is_all = image_kept_forget(kept, KEEP_MS);

	malloc_trim(0);
	return is_all;
}

/* A connection, or -1 when it is time to leave or, with *why filled, to die. */
static int
next_connection(const struct serve_config *config, struct image_kept *kept, struct failure *why)
{
	int patience_ms = KEEP_MS;

	for (;;) {
		struct pollfd ends[] = { { config->lifeline, 0, 0 }, { config->listener, POLLIN, 0 } };
		int connection, ready = poll(ends, 2, patience_ms);

		if (ready == -1 && errno != EINTR) {
			fail(why, FAIL_INTERNAL, "poll: %s", strerror(errno));
			return -1;
		}
		if (ready == 0) {
			patience_ms = forget(kept) ? -1 : KEEP_MS;
			continue;
		}
		if (ends[0].revents != 0)
			return -1;
		connection = accept4(config->listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection != -1)
			return connection;
		/* Another renderer was faster, or the client has given up. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			fail(why, FAIL_INTERNAL, "accept: %s", strerror(errno));
			return -1;
		}
	}
}

/* What could be given back is given back before we are judged by it. */
static bool
is_too_large(const struct serve_config *config, struct image_kept *kept)
{
	if (config->recycle_bytes == 0 || resident_bytes() <= config->recycle_bytes)
		return false;
	(void)forget(kept);
	return resident_bytes() > config->recycle_bytes;
}

static bool
serve_and_keep(const struct serve_config *config, struct image_kept *kept, struct failure *why)
{
	unsigned jobs = with_jitter(config->jobs), done = 0;
	int connection;

	while ((connection = next_connection(config, kept, why)) != -1) {
		if (!serve_one(connection, kept))
			continue;
		done++;
		if (done == jobs || is_too_large(config, kept) || limits_are_near())
			return true;
	}
	return why->kind == FAIL_NONE;
}

bool
serve(const struct serve_config *config, struct failure *why)
{
	struct image_kept *kept = config->pixels != -1 ? image_kept_open(config->pixels) : NULL;
	bool is_well = serve_and_keep(config, kept, why);

	image_kept_close(kept);
	return is_well;
}
