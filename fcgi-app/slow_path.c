/*
 * slow_path.c - a place, then the flight of the variant, then that of the
 * original: locks are always taken in this order, and each ends with the
 * function that took it.
 */
#include "fcgi-app/slow_path.h"

#include <string.h>
#include <unistd.h>

enum { SNIFF_BYTES = 512 };

/* Refused at once: who waited here would hold one of the responders that are
 * kept free for hits. */
static bool
take_place(struct server *server, struct store_lock *place, struct failure *why)
{
	unsigned places = server->settings->server.slow_responders;

	if (store_take_place(server->store, LANE_SLOW, places, place))
		return true;
	return fail(why, FAIL_BUSY, "all %u places of the slow path are taken", places);
}

unsigned
slow_path_places_taken(struct server *server)
{
	return store_places_taken(server->store, LANE_SLOW, server->settings->server.slow_responders);
}

/* ---- the original -------------------------------------------------------------- */

/* The bytes decide what the file is, whatever the row or the name says. */
static enum media
sniff_file(int fd)
{
	char head[SNIFF_BYTES];
	ssize_t got = pread(fd, head, sizeof(head), 0);

	return got > 0 ? media_sniff(head, (size_t)got) : MEDIA_NONE;
}

/* An object that was replaced behind the catalog's back would be kept under
 * the old version for ever.  A purge forgets the etag, and so accepts it. */
static bool
object_is_the_catalogs(const struct asset *asset, const struct origin_object *object, struct failure *why)
{
	if (asset->etag[0] == '\0' || object->etag[0] == '\0' || strcmp(asset->etag, object->etag) == 0)
		return true;
	return fail(why, FAIL_UPSTREAM,
	    "origin %s has another object than the catalog describes: etag %.40s, not %.40s",
	    asset->origin, object->etag, asset->etag);
}

static bool
fetch_into_draft(struct server *server, const struct asset *asset, struct deadline deadline,
    struct store_draft *draft, struct failure *why)
{
	struct origin *origin = server_find_origin(server, asset->origin, why);
	struct origin_object object;
	bool was_fetched;

	if (origin == NULL)
		return false;
	was_fetched = origin_fetch(origin, asset->key, draft->fd, deadline, &object, why);
	metrics_count(&server->metrics->origin_fetches[why->kind], 1);
	if (!was_fetched)
		return false;
	metrics_count(&server->metrics->origin_bytes, object.bytes);
	return object_is_the_catalogs(asset, &object, why);
}

static bool
fetch_original(struct server *server, struct request *request, const struct asset *asset,
    const struct variant *variant, struct store_file *original, struct failure *why)
{
	int64_t from_us = monotonic_us();
	struct store_draft draft;
	bool was_fetched;

	if (!store_begin(server->store, &draft, why))
		return false;
	was_fetched = fetch_into_draft(server, asset, request->deadline, &draft, why);
	request_note_step(request, STEP_ORIGIN, &from_us);
	if (!was_fetched) {
		store_discard(server->store, &draft);
		return false;
	}
	if (!store_commit(server->store, &draft, STORE_ORIGINALS, &variant->original_key, sniff_file(draft.fd),
	    original, why))
		return false;
	request_note_step(request, STEP_STORE, &from_us);
	request->tier = TIER_FETCHED;
	return true;
}

static bool
find_or_fetch_original(struct server *server, struct request *request, const struct asset *asset,
    const struct variant *variant, struct store_file *original, struct failure *why)
{
	int64_t from_us = monotonic_us();
	struct store_lock flight;
	bool was_obtained;

	if (store_find(server->store, STORE_ORIGINALS, &variant->original_key, original)) {
		request->tier = TIER_STORE;
		return true;
	}
	if (!store_lock(server->store, STORE_ORIGINALS, &variant->original_key, request->deadline, &flight, why))
		return false;
	request_note_step(request, STEP_WAIT, &from_us);
	was_obtained = store_find(server->store, STORE_ORIGINALS, &variant->original_key, original);
	if (was_obtained)
		request->tier = TIER_JOINED;
	else
		was_obtained = fetch_original(server, request, asset, variant, original, why);
	store_unlock(&flight);
	return was_obtained;
}

/* What is no image is kept too, and refused from the store: it must not be
 * fetched anew for everybody who asks. */
static bool
obtain_original(struct server *server, struct request *request, const struct asset *asset,
    const struct variant *variant, struct store_file *original, struct failure *why)
{
	if (!find_or_fetch_original(server, request, asset, variant, original, why))
		return false;
	if (original->media != MEDIA_NONE)
		return true;
	close(original->fd);
	return fail(why, FAIL_UNSUPPORTED, "the original is no image that we know");
}

/* ---- the variant --------------------------------------------------------------- */

static bool
render_into_draft(struct server *server, struct request *request, const struct variant *variant, int original,
    int output, struct failure *why)
{
	const struct render_settings *render = &server->settings->render;
	unsigned left_ms = (unsigned)deadline_left_ms(request->deadline);
	struct job job = {
		.operation = JOB_RENDER,
		.recipe = variant->recipe,
		.overlays = "-",
		.format = variant->format,
		.limits = render->limits,
		.timeout_ms = left_ms < render->timeout_ms ? left_ms : render->timeout_ms,
	};
	const struct job_files files = { .input = original, .output = output, .mark = -1 };
	struct job_result result;

	if (job.timeout_ms == 0)
		return fail(why, FAIL_TIMEOUT, "no time was left to render");
	return server_render(server, &job, &files, request->deadline, &result, why);
}

static bool
render_variant(struct server *server, struct request *request, const struct asset *asset,
    const struct variant *variant, struct store_file *file, struct failure *why)
{
	struct store_file original;
	struct store_draft draft;
	int64_t from_us;
	bool was_rendered;

	if (!obtain_original(server, request, asset, variant, &original, why))
		return false;
	if (!store_begin(server->store, &draft, why)) {
		close(original.fd);
		return false;
	}
	from_us = monotonic_us();
	was_rendered = render_into_draft(server, request, variant, original.fd, draft.fd, why);
	request_note_step(request, STEP_RENDER, &from_us);
	close(original.fd);
	if (!was_rendered) {
		store_discard(server->store, &draft);
		return false;
	}
	if (!store_commit(server->store, &draft, STORE_VARIANTS, &variant->key, variant->format, file, why))
		return false;
	request_note_step(request, STEP_STORE, &from_us);
	request->tier = TIER_RENDERED;
	return true;
}

static bool
obtain_variant(struct server *server, struct request *request, const struct asset *asset,
    const struct variant *variant, struct store_file *file, struct failure *why)
{
	int64_t from_us = monotonic_us();
	struct store_lock flight;
	bool was_obtained;

	if (!store_lock(server->store, STORE_VARIANTS, &variant->key, request->deadline, &flight, why))
		return false;
	request_note_step(request, STEP_WAIT, &from_us);
	was_obtained = store_find(server->store, STORE_VARIANTS, &variant->key, file);
	if (was_obtained)
		request->tier = TIER_JOINED;
	else
		was_obtained = render_variant(server, request, asset, variant, file, why);
	store_unlock(&flight);
	return was_obtained;
}

bool
slow_path_obtain(struct server *server, struct request *request, const struct asset *asset,
    const struct recipe *recipe, const struct variant *variant, struct store_file *file, struct failure *why)
{
	struct store_lock place;
	bool was_obtained;

	if (!take_place(server, &place, why))
		return false;
	if (recipe->is_original)
		was_obtained = obtain_original(server, request, asset, variant, file, why);
	else
		was_obtained = obtain_variant(server, request, asset, variant, file, why);
	store_unlock(&place);
	return was_obtained;
}
