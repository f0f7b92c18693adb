#include "fcgi-app/mezzanine.h"

#include <math.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	WAIT_MS = 4000,		/* for who leaves it: some of the slowest decodings, then each for himself */
	JUST_NOW_S = 2,		/* a renderer keeps it for so long after its last job */
	LEAVE_MS = 10000	/* a renderer that has answered needs a fraction of a second */
};

/* ---- when ---------------------------------------------------------------------------------- */

/* As far as the row knows: the renderer looks itself. */
static struct image_description
describe(const struct asset *asset)
{
	return (struct image_description){
		.media = asset->media,
		.width = asset->width,
		.height = asset->height,
		.frames = asset->frames,
		.is_progressive = asset->is_progressive,
	};
}

/* How many times smaller than the original the result is, in the direction where it is less; 0: unknown. */
static double
shrink_factor(const struct wish *wish)
{
	struct geometry_source source;
	struct geometry geometry;
	struct failure why = { 0 };

	asset_geometry_source(&wish->asset, &wish->recipe, &source);
	if (!geometry_plan(&wish->recipe, &source, &geometry, &why))
		return 0;
	return fmin((double)geometry.turned_width / geometry.scaled_width,
	    (double)geometry.turned_height / geometry.scaled_height);
}

/* The variant decides which of the two it wants; a large one serves for small results too. */
static void
choose(struct mezzanine *mezzanine, const struct wish *wish, const struct image_description *description)
{
	double factor = shrink_factor(wish);
	unsigned shrink = description_mezzanine_shrink(description, factor);
	unsigned small = description_small_shrink(description), large = description_large_shrink(description);

	mezzanine->can_use = factor >= MEZZANINE_SHRINK_MIN &&
	    recipe_suits_mezzanine(&wish->recipe, wish->variant.format);
	mezzanine->is_kept_whole = description_kept_shrink(description) == 1;
	mezzanine->other_serves = mezzanine->can_use && shrink == small;
	mezzanine->key = variant_mezzanine_key(&wish->variant.original_key, shrink);
	mezzanine->other_key = variant_mezzanine_key(&wish->variant.original_key, shrink == small ? large : small);
}

/* ---- finding -------------------------------------------------------------------------------- */

static void
use(struct mezzanine *mezzanine)
{
	mezzanine->wish = MEZZANINE_USE;
	mezzanine->fd = mezzanine->file.fd;
}

/* One that is empty says that there can be none. */
static bool
find_wanted(struct mezzanine *mezzanine)
{
	if (!store_find(mezzanine->server->store, STORE_VARIANTS, &mezzanine->key, &mezzanine->file))
		return false;
	if (mezzanine->can_use && mezzanine->file.media == MEDIA_JPEG)
		use(mezzanine);
	else
		close(mezzanine->file.fd);
	return true;
}

/* A page asks for all its sizes within a moment.  To write a large one then, and to wait for it, takes as long as
 * to decode the original once more, and renderers still keep all of its pixels. */
static bool
was_decoded_just_now(const struct mezzanine *mezzanine)
{
	struct stat status;
	int64_t age_s;

	if (!mezzanine->is_kept_whole || fstat(mezzanine->file.fd, &status) == -1)
		return false;
	age_s = time(NULL) - status.st_mtim.tv_sec;
	/* Not what the future left, which it would be for as long as a clock was set back. */
	return age_s >= -1 && age_s <= JUST_NOW_S;
}

/* True also when nobody needs the one that is wanted: it cannot be, or would not be used now.  One that is too
 * small goes to the renderer too, which has or decodes the original then. */
static bool
find_other(struct mezzanine *mezzanine)
{
	if (!store_find(mezzanine->server->store, STORE_VARIANTS, &mezzanine->other_key, &mezzanine->file))
		return false;
	if (mezzanine->can_use && mezzanine->file.media == MEDIA_JPEG &&
	    (mezzanine->other_serves || was_decoded_just_now(mezzanine))) {
		mezzanine->key = mezzanine->other_key;
		use(mezzanine);
		return true;
	}
	close(mezzanine->file.fd);
	return !mezzanine->can_use || mezzanine->file.media != MEDIA_JPEG;
}

static bool
find(struct mezzanine *mezzanine)
{
	return find_wanted(mezzanine) || find_other(mezzanine);
}

/* The flight is ours.  Where the disk takes nothing, nothing is left on it. */
static void
prepare_to_leave(struct mezzanine *mezzanine, struct request *request)
{
	struct failure why = { 0 };

	if (request->is_in_memory || !store_begin(mezzanine->server->store, &mezzanine->draft, &why)) {
		store_unlock(&mezzanine->flight);
		return;
	}
	mezzanine->wish = MEZZANINE_LEAVE;
	mezzanine->fd = mezzanine->draft.fd;
	request->mezzanine_in_flight = &mezzanine->key;
}

/* In vain, when it takes long or nobody leaves one after all. */
static void
wait_for_it(struct mezzanine *mezzanine, struct request *request)
{
	struct server *server = mezzanine->server;
	struct deadline deadline = deadline_within_ms(request->deadline, WAIT_MS);
	struct failure why = { 0 };
	int64_t from_us = monotonic_us();
	struct store_lock place;

	if (!server_take_waiting_place(server, &place, &why))
		return;
	if (store_await(server->store, STORE_VARIANTS, &mezzanine->key, deadline, &why))
		(void)find(mezzanine);
	store_unlock(&place);
	request_note_step(request, STEP_WAIT, &from_us);
}

static void
find_or_leave(struct mezzanine *mezzanine, struct request *request)
{
	struct store *store = mezzanine->server->store;

	if (find(mezzanine))
		return;
	if (store_try_lock(store, STORE_VARIANTS, &mezzanine->key, &mezzanine->flight)) {
		/* Somebody may have left it just before. */
		if (find(mezzanine))
			store_unlock(&mezzanine->flight);
		else
			prepare_to_leave(mezzanine, request);
	} else if (mezzanine->can_use) {
		wait_for_it(mezzanine, request);
	}
}

bool
mezzanine_is_there(struct server *server, const struct wish *wish)
{
	const struct image_description description = describe(&wish->asset);
	struct mezzanine mezzanine;

	if (!description_is_worth_a_mezzanine(&description))
		return false;
	choose(&mezzanine, wish, &description);
	return (mezzanine.can_use && store_has(server->store, STORE_VARIANTS, &mezzanine.key)) ||
	    (mezzanine.other_serves && store_has(server->store, STORE_VARIANTS, &mezzanine.other_key));
}

struct mezzanine *
mezzanine_begin(struct server *server, struct request *request, const struct wish *wish)
{
	const struct image_description description = describe(&wish->asset);
	struct mezzanine *mezzanine = arena_alloc(request->arena, sizeof(*mezzanine));

	*mezzanine = (struct mezzanine){
		.wish = MEZZANINE_WITHOUT,
		.fd = -1,
		.server = server,
		.leaving = -1,
	};
	if (description_is_worth_a_mezzanine(&description)) {
		choose(mezzanine, wish, &description);
		find_or_leave(mezzanine, request);
	}
	return mezzanine;
}

bool
mezzanine_is_unchanged(struct mezzanine *mezzanine)
{
	if (store_is_unchanged(mezzanine->server->store, STORE_VARIANTS, &mezzanine->key, &mezzanine->file))
		return true;
	mezzanine->wish = MEZZANINE_WITHOUT;
	close(mezzanine->fd);
	return false;
}

/* ---- leaving ---------------------------------------------------------------------------------- */

static void
put_into_store(struct mezzanine *mezzanine)
{
	struct server *server = mezzanine->server;
	enum media media = lseek(mezzanine->draft.fd, 0, SEEK_END) > 0 ? MEDIA_JPEG : MEDIA_NONE;
	struct failure why = { 0 };
	struct store_file file;

	if (!store_commit(server->store, &mezzanine->draft, STORE_VARIANTS, &mezzanine->key, media, &file, &why))
		return;
	close(file.fd);
	if (media == MEDIA_JPEG)
		metrics_count(&server->metrics->mezzanines_left, 1);
}

/* A deferred release: the client has its answer. */
static void
finish(void *object)
{
	struct mezzanine *mezzanine = object;

	if (render_wait_left(mezzanine->leaving, deadline_in_ms(LEAVE_MS)))
		put_into_store(mezzanine);
	else
		store_discard(mezzanine->server->store, &mezzanine->draft);
	store_unlock(&mezzanine->flight);
}

static void
give_up_leaving(struct mezzanine *mezzanine, const struct job_result *result)
{
	if (result->outcome.mezzanine == MEZZANINE_FOLLOWS)
		close(result->leaving);
	store_discard(mezzanine->server->store, &mezzanine->draft);
	store_unlock(&mezzanine->flight);
}

static void
leave(struct mezzanine *mezzanine, struct request *request, const struct job_result *result)
{
	if (result->outcome.mezzanine == MEZZANINE_FOLLOWS) {
		mezzanine->leaving = result->leaving;
		arena_defer(request->arena, finish, mezzanine);
		request->leaves_work = true;
		return;
	}
	if (result->outcome.mezzanine == MEZZANINE_NEVER)
		put_into_store(mezzanine);
	else
		store_discard(mezzanine->server->store, &mezzanine->draft);
	store_unlock(&mezzanine->flight);
}

void
mezzanine_end(struct mezzanine *mezzanine, struct request *request, const struct job_result *result,
    bool was_rendered)
{
	request->mezzanine_in_flight = NULL;
	if (mezzanine->wish == MEZZANINE_USE)
		close(mezzanine->fd);
	else if (mezzanine->wish == MEZZANINE_LEAVE && was_rendered)
		leave(mezzanine, request, result);
	else if (mezzanine->wish == MEZZANINE_LEAVE)
		give_up_leaving(mezzanine, result);
	if (was_rendered && result->outcome.mezzanine == MEZZANINE_USED) {
		request->is_from_mezzanine = true;
		metrics_count(&mezzanine->server->metrics->mezzanines_used, 1);
	}
}
