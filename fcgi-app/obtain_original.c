/*
 * A watermark's picture is an original like any other, and who holds the flight of
 * an original takes no other lock: two assets that are each other's watermark cannot
 * wait for each other.
 */
#include "fcgi-app/obtain_original.h"

#include "fcgi-app/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SNIFF_BYTES = 512 };

/* ---- the original -------------------------------------------------------------- */

/* The bytes decide what the file is, whatever the row or the name says. */
static enum media
sniff_file(int fd)
{
	char head[SNIFF_BYTES];
	ssize_t got = pread(fd, head, sizeof(head), 0);

	return got > 0 ? media_sniff(head, (size_t)got) : MEDIA_NONE;
}

static bool
looks_like_md5(const char *etag)
{
	return strspn(etag, "0123456789abcdef") == MD5_HEX && etag[MD5_HEX] == '\0';
}

/* A copy elsewhere may have another etag: an upload in parts has one that
 * depends on the parts.  Then the bytes' own MD5 decides; where the row has none,
 * their number has to do. */
static bool
is_the_same_elsewhere(const struct asset *asset, const struct origin_object *object)
{
	if (looks_like_md5(asset->etag))
		return strcmp(asset->etag, object->md5) == 0;
	return asset->bytes == object->bytes;
}

/* An object that was replaced behind the catalog's back would be kept under
 * the old version for ever.  A purge forgets the etag, and so accepts it. */
static bool
object_is_the_catalogs(const struct asset *asset, const struct origin_object *object, struct failure *why)
{
	if (asset->etag[0] == '\0' || strcmp(asset->etag, object->etag) == 0)
		return true;
	if (object->is_from_fallback ? is_the_same_elsewhere(asset, object) : object->etag[0] == '\0')
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
	metrics_count(&server->metrics->origin_bytes, was_fetched ? object.bytes : 0);
	was_fetched = was_fetched && object_is_the_catalogs(asset, &object, why);
	metrics_count(&server->metrics->origin_fetches[why->kind], 1);
	metrics_count(&server->metrics->origin_fallbacks, was_fetched && object.is_from_fallback ? 1 : 0);
	return was_fetched;
}

bool
fetch_original(struct server *server, struct request *request, const struct asset *asset,
    const struct key *key, struct store_file *original, struct failure *why)
{
	int64_t from_us = monotonic_us();
	struct store_draft draft;
	bool was_fetched;

	if (!draft_begin(server, request, &draft, why))
		return false;
	do
		was_fetched = fetch_into_draft(server, asset, request->deadline, &draft, why);
	while (!was_fetched && draft_begin_again(server, request, &draft, why));
	request_note_step(request, STEP_ORIGIN, &from_us);
	if (!was_fetched) {
		store_discard(server->store, &draft);
		return false;
	}
	if (!store_commit(server->store, &draft, STORE_ORIGINALS, key, sniff_file(draft.fd), original, why))
		return false;
	request_note_step(request, STEP_STORE, &from_us);
	request->tier = TIER_FETCHED;
	return true;
}

static bool
await_landing(struct server *server, struct request *request, const struct key *key, struct failure *why)
{
	int64_t from_us = monotonic_us();
	struct store_lock place;
	bool has_landed;

	if (!server_take_waiting_place(server, &place, why))
		return false;
	has_landed = store_await(server->store, STORE_ORIGINALS, key, request->deadline, why);
	store_unlock(&place);
	request_note_step(request, STEP_WAIT, &from_us);
	return has_landed;
}

/* The flight is ours.  Somebody may have landed just before. */
static bool
lead(struct server *server, struct request *request, const struct asset *asset, const struct key *key,
    struct store_file *original, struct failure *why)
{
	bool was_fetched;

	if (store_find(server->store, STORE_ORIGINALS, key, original)) {
		request->tier = TIER_JOINED;
		return true;
	}
	request->original_in_flight = key;
	was_fetched = fetch_original(server, request, asset, key, original, why);
	request->original_in_flight = NULL;
	return was_fetched;
}

static bool
find_or_fetch_original(struct server *server, struct request *request, const struct asset *asset,
    const struct key *key, struct store_file *original, struct failure *why)
{
	struct store_lock flight;
	bool was_obtained;

	if (store_find(server->store, STORE_ORIGINALS, key, original)) {
		request->tier = TIER_STORE;
		return true;
	}
	while (!store_try_lock(server->store, STORE_ORIGINALS, key, &flight)) {
		if (!await_landing(server, request, key, why))
			return false;
		if (store_find(server->store, STORE_ORIGINALS, key, original)) {
			request->tier = TIER_JOINED;
			return true;
		}
	}
	was_obtained = lead(server, request, asset, key, original, why);
	store_unlock(&flight);
	return was_obtained;
}

/* What is no image is kept too, and refused from the store: it must not be
 * fetched anew for everybody who asks. */
bool
obtain_original(struct server *server, struct request *request, const struct asset *asset,
    const struct key *key, struct store_file *original, struct failure *why)
{
	if (!find_or_fetch_original(server, request, asset, key, original, why))
		return false;
	if (original->media != MEDIA_NONE)
		return true;
	close(original->fd);
	return fail(why, FAIL_UNSUPPORTED, "the original is no image that we know");
}

/* ---- the watermark's picture ------------------------------------------------------- */

/* The descriptor in the settings is shared by all responders, and a renderer moves
 * the file position of the one it gets.  Through /proc it is the same file, also
 * when its path has another one meanwhile. */
static bool
reopen(int fd, int *reopened, struct failure *why)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*reopened = open(path, O_RDONLY | O_CLOEXEC);
	return *reopened != -1 || fail(why, FAIL_INTERNAL, "cannot open its file again: %s", strerror(errno));
}

static bool
open_mark(struct server *server, struct request *request, const struct wish *wish, int *mark, struct failure *why)
{
	const struct watermark *watermark = wish->dressing.watermark;
	struct store_file original;

	if (watermark->file[0] != '\0')
		return reopen(watermark->fd, mark, why);
	if (!obtain_original(server, request, &wish->mark, &wish->mark_key, &original, why))
		return false;
	*mark = original.fd;
	return true;
}

/* What is wrong with the object is no fault of the picture that was asked for. */
static enum failure_kind
kind_for_mark(enum failure_kind kind)
{
	return kind == FAIL_NOT_FOUND || kind == FAIL_UNSUPPORTED || kind == FAIL_UNPROCESSABLE ? FAIL_INTERNAL : kind;
}

bool
obtain_mark(struct server *server, struct request *request, const struct wish *wish, int *mark, struct failure *why)
{
	struct failure because = { 0 };

	*mark = -1;
	if (wish->dressing.watermark == NULL || open_mark(server, request, wish, mark, &because))
		return true;
	return fail(why, kind_for_mark(because.kind), "watermark '%s': %.180s", wish->dressing.watermark->name,
	    because.detail);
}
