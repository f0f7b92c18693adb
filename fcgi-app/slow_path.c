/*
 * slow_path.c - a place, then the flight of what is wanted; who has that leads: asks
 * the neighbours, obtains the original and renders.  The others follow.
 *
 * Locks are waited for in this order: the flight of the variant, the flight of an
 * original, that of its mezzanine, a place in memory (draft.h), a place for a heavy job;
 * other places are taken or not.  Each ends with the function that took it.
 */
#include "fcgi-app/slow_path.h"

#include "asset/cost.h"
#include "catalog/quarantine.h"
#include "fcgi-app/access_log.h"
#include "fcgi-app/draft.h"
#include "fcgi-app/mezzanine.h"
#include "fcgi-app/neighbours.h"
#include "fcgi-app/obtain_original.h"
#include "fcgi-app/verdict.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
	WORK_UNIT_MS = 100,	/* a place of LANE_WORK is so much, */
	WORK_PLACES_MAX = 1024,	/* or more, when there would be more of them */
	HEAVY_PAUSE_MS = 10
};

/* One request on the slow path. */
struct pursuit {
	struct server *server;
	struct request *request;
	const struct wish *wish;
	enum store_part part;
	const struct key *key;		/* in that part: what is wanted */
	unsigned cost_ms;
	bool is_leading;		/* it holds the flight: others may wait for it */
	bool has_lease;
	struct vigil vigil;
};

/* ---- the bounds ---------------------------------------------------------------------- */

static unsigned
backlog_ms(const struct server *server)
{
	const struct render_settings *render = &server->settings->render;

	return render->renderers * render->backlog_ms;
}

static unsigned
work_places(const struct server *server)
{
	unsigned places = backlog_ms(server) / WORK_UNIT_MS;

	return places < WORK_PLACES_MAX ? places : WORK_PLACES_MAX;
}

/* However dear one is, there is room for others beside it. */
static unsigned
work_places_for(const struct server *server, unsigned cost_ms)
{
	unsigned all = work_places(server), renderers = server->settings->render.renderers;
	unsigned most = renderers > 1 ? all - all / renderers : all / 2;
	uint64_t places = (uint64_t)cost_ms * all / backlog_ms(server) + 1;

	return places < most ? (unsigned)places : most;
}

struct slow_path_load
slow_path_load(struct server *server)
{
	unsigned slow = server->settings->server.slow_responders;

	return (struct slow_path_load){
		.requests = store_places_taken(server->store, LANE_SLOW, slow),
		.requests_max = slow,
		.waiting = store_places_taken(server->store, LANE_WAIT, server_waiting_places(server)),
		.waiting_max = server_waiting_places(server),
		.work_ms = store_places_taken(server->store, LANE_WORK, work_places(server)) *
		    (backlog_ms(server) / work_places(server)),
		.work_max_ms = backlog_ms(server),
	};
}

/* ---- whether anybody wants it ---------------------------------------------------------- */

/* For a file whose flight we hold: who waits for one must not take itself for another. */
static bool
others_wait(const struct pursuit *pursuit)
{
	struct store *store = pursuit->server->store;
	const struct key *fetched = pursuit->request->original_in_flight;
	const struct key *mezzanine = pursuit->request->mezzanine_in_flight;

	return (pursuit->is_leading && store_is_awaited(store, pursuit->part, pursuit->key)) ||
	    (fetched != NULL && store_is_awaited(store, STORE_ORIGINALS, fetched)) ||
	    (mezzanine != NULL && store_is_awaited(store, STORE_VARIANTS, mezzanine));
}

/* Called now and then by whatever waits. */
static bool
is_over(void *state)
{
	struct pursuit *pursuit = state;

	if (pursuit->has_lease)
		neighbours_hold(pursuit->server, &pursuit->wish->variant);
	return request_client_is_gone(pursuit->request) && !others_wait(pursuit);
}

/* ---- rendering --------------------------------------------------------------------------- */

/* Not for what a recipe asks of it, nor for what is laid over it. */
static bool
asset_is_to_blame(const struct pursuit *pursuit, const struct job *job, const struct failure *why)
{
	const struct overlays *overlays = &pursuit->wish->dressing.overlays;

	return !overlays->mark.is_set && overlays->caption_count == 0 &&
	    (why->kind != FAIL_TIMEOUT || pursuit->cost_ms < job->timeout_ms / 8);
}

static bool
render_into_draft(struct pursuit *pursuit, struct mezzanine *mezzanine, const struct job_files *files,
    struct job_result *result, struct failure *why)
{
	const struct render_settings *render = &pursuit->server->settings->render;
	const struct variant *variant = &pursuit->wish->variant;
	struct deadline deadline = pursuit->request->deadline;
	unsigned left_ms = (unsigned)deadline_left_ms(deadline);
	struct job job = {
		.operation = JOB_RENDER,
		.recipe = variant->recipe,
		.overlays = variant->overlays,
		.format = variant->format,
		.limits = render->limits,
		.timeout_ms = left_ms < render->timeout_ms ? left_ms : render->timeout_ms,
		.mezzanine = mezzanine->wish,
	};
	bool was_rendered;

	if (job.timeout_ms == 0)
		return fail(why, FAIL_TIMEOUT, "no time was left to render");
	was_rendered = server_render(pursuit->server, &job, files, deadline, result, why);
	if (result->ended_renderer && asset_is_to_blame(pursuit, &job, why))
		quarantine_count(pursuit->server->peers, &pursuit->wish->asset, why->detail);
	if (was_rendered && result->outcome.mezzanine == MEZZANINE_USED && !mezzanine_is_unchanged(mezzanine))
		return fail(why, FAIL_INTERNAL, "the mezzanine was damaged on disk while it was used");
	return was_rendered;
}

/* One renderer is always free of jobs that take long. */
static bool
wait_for_heavy_place(struct pursuit *pursuit, struct store_lock *place, struct failure *why)
{
	const struct render_settings *render = &pursuit->server->settings->render;
	struct deadline deadline = pursuit->request->deadline;

	place->fd = -1;
	if (pursuit->cost_ms < render->heavy_ms || render->renderers < 2)
		return true;
	while (!store_take_place(pursuit->server->store, LANE_HEAVY, render->renderers - 1, place)) {
		if (deadline_has_passed(deadline))
			return fail(why, FAIL_BUSY, "other jobs that take long did not end before the deadline");
		deadline_sleep_ms(deadline, HEAVY_PAUSE_MS);
	}
	return true;
}

static bool
render_from(struct pursuit *pursuit, const struct store_file *original, int mark, struct mezzanine *mezzanine,
    struct job_result *result, struct store_file *file, struct failure *why)
{
	const struct variant *variant = &pursuit->wish->variant;
	struct store *store = pursuit->server->store;
	struct store_draft draft;
	struct store_lock heavy;
	int64_t from_us = monotonic_us();
	bool was_rendered;

	if (!draft_begin(pursuit->server, pursuit->request, &draft, why))
		return false;
	if (!wait_for_heavy_place(pursuit, &heavy, why)) {
		store_discard(store, &draft);
		return false;
	}
	request_note_step(pursuit->request, STEP_WAIT, &from_us);
	do
		was_rendered = render_into_draft(pursuit, mezzanine, &(struct job_files){ .input = original->fd,
		    .output = draft.fd, .mark = mark, .mezzanine = mezzanine->fd }, result, why);
	while (!was_rendered && draft_begin_again(pursuit->server, pursuit->request, &draft, why));
	store_unlock(&heavy);
	request_note_step(pursuit->request, STEP_RENDER, &from_us);
	/* Its checksum would vouch for what was made of a damaged file. */
	if (was_rendered && !store_is_unchanged(store, STORE_ORIGINALS, &variant->original_key, original))
		was_rendered = fail(why, FAIL_INTERNAL, "the original was damaged on disk while it was rendered");
	if (!was_rendered) {
		store_discard(store, &draft);
		return false;
	}
	if (!store_commit(store, &draft, STORE_VARIANTS, &variant->key, variant->format, file, why))
		return false;
	request_note_step(pursuit->request, STEP_STORE, &from_us);
	pursuit->request->tier = TIER_RENDERED;
	return true;
}

static bool
render_with_mezzanine(struct pursuit *pursuit, const struct store_file *original, int mark, struct store_file *file,
    struct failure *why)
{
	struct mezzanine *mezzanine = mezzanine_begin(pursuit->server, pursuit->request, pursuit->wish);
	struct job_result result = { .leaving = -1 };
	bool was_rendered = render_from(pursuit, original, mark, mezzanine, &result, file, why);

	mezzanine_end(mezzanine, pursuit->request, &result, was_rendered);
	return was_rendered;
}

static bool
render_variant(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	const struct wish *wish = pursuit->wish;
	struct store_file original;
	bool was_rendered;
	int mark;

	if (!obtain_original(pursuit->server, pursuit->request, &wish->asset, &wish->variant.original_key,
	    &original, why))
		return false;
	was_rendered = obtain_mark(pursuit->server, pursuit->request, wish, &mark, why) &&
	    render_with_mezzanine(pursuit, &original, mark, file, why);
	close(original.fd);
	if (mark != -1)
		close(mark);
	return was_rendered;
}

/* ---- leading ----------------------------------------------------------------------------- */

static bool
make_variant(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	struct server *server = pursuit->server;
	const struct variant *variant = &pursuit->wish->variant;
	struct quarantine quarantine;
	bool was_made;

	quarantine_find(server->peers, &pursuit->wish->asset, &quarantine);
	if (!quarantine_permits(&quarantine, why))
		return false;
	if (neighbours_obtain(server, pursuit->request, variant, file, &pursuit->has_lease))
		return true;
	was_made = render_variant(pursuit, file, why);
	neighbours_tell(server, pursuit->request, variant, was_made ? file : NULL, pursuit->has_lease);
	pursuit->has_lease = false;
	return was_made;
}

static bool
make(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	const struct wish *wish = pursuit->wish;

	if (pursuit->part == STORE_VARIANTS)
		return make_variant(pursuit, file, why);
	return fetch_original(pursuit->server, pursuit->request, &wish->asset, pursuit->key, file, why);
}

static bool
make_within_bounds(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	struct server *server = pursuit->server;
	struct store_lock work;
	bool was_made;

	if (!store_take_places(server->store, LANE_WORK, work_places(server),
	    work_places_for(server, pursuit->cost_ms), &work))
		return fail(why, FAIL_BUSY, "the renderers have enough to do before these %u ms", pursuit->cost_ms);
	was_made = make(pursuit, file, why);
	store_unlock(&work);
	return was_made;
}

/* That our time is up, or our client gone, says nothing about those who came later. */
static bool
is_for_others(const struct pursuit *pursuit, const struct failure *why)
{
	return why->kind != FAIL_BUSY &&
	    (why->kind != FAIL_TIMEOUT || !deadline_has_passed(pursuit->request->deadline));
}

/* The flight is ours.  Somebody may have landed just before. */
static bool
lead(struct pursuit *pursuit, struct store_lock *flight, struct store_file *file, struct failure *why)
{
	bool was_obtained = store_find(pursuit->server->store, pursuit->part, pursuit->key, file);

	if (was_obtained) {
		pursuit->request->tier = TIER_JOINED;
	} else {
		pursuit->is_leading = true;
		was_obtained = make_within_bounds(pursuit, file, why);
		pursuit->is_leading = false;
		if (!was_obtained && is_for_others(pursuit, why))
			verdict_remember(pursuit->server, pursuit->request, pursuit->part, pursuit->key, why);
	}
	store_unlock(flight);
	return was_obtained;
}

/* ---- following --------------------------------------------------------------------------- */

static bool
await_landing(struct pursuit *pursuit, struct failure *why)
{
	struct server *server = pursuit->server;
	int64_t from_us = monotonic_us();
	struct store_lock place;
	bool has_landed;

	if (!server_take_waiting_place(server, &place, why))
		return false;
	has_landed = store_await(server->store, pursuit->part, pursuit->key, pursuit->request->deadline, why);
	store_unlock(&place);
	request_note_step(pursuit->request, STEP_WAIT, &from_us);
	return has_landed;
}

static bool
lead_or_follow(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	struct store *store = pursuit->server->store;
	int64_t began_us = monotonic_us();
	struct store_lock flight;

	while (!store_try_lock(store, pursuit->part, pursuit->key, &flight)) {
		if (!await_landing(pursuit, why))
			return false;
		if (store_find(store, pursuit->part, pursuit->key, file)) {
			pursuit->request->tier = TIER_JOINED;
			return true;
		}
		if (!verdict_is_open_since(pursuit->server, pursuit->request, pursuit->key, began_us, why))
			return false;
	}
	return lead(pursuit, &flight, file, why);
}

/* ---- in and out ---------------------------------------------------------------------------- */

static bool
pursue(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	struct server *server = pursuit->server;
	unsigned places = server->settings->server.slow_responders;
	struct store_lock place;
	bool was_obtained;

	if (!verdict_is_open(server, pursuit->request, pursuit->key, why))
		return false;
	if (!store_take_place(server->store, LANE_SLOW, places, &place))
		return fail(why, FAIL_BUSY, "all %u places of the slow path are taken", places);
	was_obtained = lead_or_follow(pursuit, file, why);
	store_unlock(&place);
	return was_obtained;
}

/* What was abandoned says that it took too long. */
static void
say_abandoned(struct failure *why)
{
	failure_clear(why);
	fail(why, FAIL_ABANDONED, "the client has gone");
}

/* An original that is no image is kept too, and refused from the store: it must
 * not be fetched anew for everybody who asks. */
static bool
is_image(const struct store_file *file, struct failure *why)
{
	if (file->media != MEDIA_NONE)
		return true;
	close(file->fd);
	return fail(why, FAIL_UNSUPPORTED, "the original is no image that we know");
}

static unsigned
estimate_ms(struct server *server, const struct wish *wish)
{
	return mezzanine_is_there(server, wish) ?
	    cost_through_mezzanine(&wish->asset, &wish->recipe, wish->variant.format) :
	    cost_of_variant(&wish->asset, &wish->recipe, wish->variant.format);
}

static struct pursuit
pursuit_of(struct server *server, struct request *request, const struct wish *wish)
{
	struct pursuit pursuit = {
		.server = server,
		.request = request,
		.wish = wish,
		.part = wish->recipe.is_original ? STORE_ORIGINALS : STORE_VARIANTS,
		.key = &wish->variant.key,
		.vigil = { .is_over = is_over },
	};

	if (!wish->recipe.is_original)
		pursuit.cost_ms = estimate_ms(server, wish);
	return pursuit;
}

bool
slow_path_obtain(struct server *server, struct request *request, const struct wish *wish, struct store_file *file,
    struct failure *why)
{
	struct pursuit pursuit = pursuit_of(server, request, wish);
	bool was_obtained;

	pursuit.vigil.state = &pursuit;
	request->deadline.vigil = &pursuit.vigil;
	was_obtained = pursue(&pursuit, file, why) && is_image(file, why);
	request->deadline.vigil = NULL;
	if (!was_obtained && pursuit.vigil.was_over)
		say_abandoned(why);
	return was_obtained;
}

/* ---- ahead ----------------------------------------------------------------------------------- */

/* Those who follow need none. */
static bool
a_renderer_is_idle(struct server *server)
{
	const struct settings *settings = server->settings;

	return store_places_taken(server->store, LANE_SLOW, settings->server.slow_responders) <
	    store_places_taken(server->store, LANE_WAIT, server_waiting_places(server)) + settings->render.renderers;
}

static bool
lead_ahead(struct pursuit *pursuit, struct store_file *file, struct failure *why)
{
	struct store_lock flight;

	return store_try_lock(pursuit->server->store, pursuit->part, pursuit->key, &flight) &&
	    lead(pursuit, &flight, file, why);
}

static void
log_made_ahead(const struct pursuit *pursuit, const struct failure *why)
{
	const struct request *request = pursuit->request;

	metrics_count(&pursuit->server->metrics->made_ahead[why->kind], 1);
	log_event("made-ahead", why->kind != FAIL_NONE ? why->detail : NULL,
	    "id=%s asset=%s variant=%s format=%s tier=%s us=%" PRId64, request->id, pursuit->wish->asset.id,
	    pursuit->key->hex, media_extension(pursuit->wish->format), request_tier_name(request->tier),
	    monotonic_us() - request->started_us);
}

void
slow_path_make_ahead(struct server *server, struct request *request, const struct wish *wish)
{
	struct pursuit pursuit = pursuit_of(server, request, wish);
	struct failure why = { 0 }, remembered = { 0 };
	struct store_file file = { .fd = -1 };
	struct store_lock place;

	/* The place first: while one is made, it costs all others nothing but this. */
	if (!store_take_place(server->store, LANE_AHEAD, server->settings->render.ahead, &place))
		return;
	pursuit.vigil.state = &pursuit;
	request->deadline.vigil = &pursuit.vigil;
	if (verdict_is_open(server, request, pursuit.key, &remembered) && a_renderer_is_idle(server) &&
	    lead_ahead(&pursuit, &file, &why))
		close(file.fd);
	request->deadline.vigil = NULL;
	store_unlock(&place);
	if (pursuit.vigil.was_over && why.kind != FAIL_NONE)
		say_abandoned(&why);
	/* Who finds that it has just been made has not made it. */
	if ((file.fd != -1 && request->tier != TIER_JOINED) || why.kind != FAIL_NONE)
		log_made_ahead(&pursuit, &why);
}
