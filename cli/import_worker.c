#include "cli/import_worker.h"

#include "asset/slug.h"
#include "base/check.h"
#include "catalog/catalog.h"
#include "cli/tell_ring.h"
#include "peers/peers.h"
#include "render/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TRANSFER_TIMEOUT_MS = 10 * 60 * 1000,	/* the origin's own stall timeout ends dead ones sooner */
	CATALOG_TIMEOUT_MS = 30 * 1000,
	DESCRIBE_TIMEOUTS = 4,		/* a job waits for the one before it, perhaps for a new renderer too */
	DESCRIBE_RETRY_MS = 100
};

struct worker {
	const struct import_plan *plan;
	const struct render_address *renderers;
	struct peers *peers;
	struct catalog *catalog;
	struct origin *source, *target;		/* the same, unless it is an upload */
	int lifeline;
};

static bool
lifeline_has_ended(int lifeline)
{
	struct pollfd wait = { lifeline, 0, 0 };

	return poll(&wait, 1, 0) == 1;
}

/* ---- what is there already --------------------------------------------------------- */

static bool
key_in_target(const struct worker *worker, const struct import_item *item, char key[ASSET_KEY_MAX + 1],
    struct failure *why)
{
	const char *prefix = worker->plan->is_upload ? worker->plan->key_prefix : "";
	int length = snprintf(key, ASSET_KEY_MAX + 1, "%s%s", prefix, item->key);

	if (length <= ASSET_KEY_MAX)
		return true;
	return fail(why, FAIL_UNPROCESSABLE, "the key would be longer than %d bytes", ASSET_KEY_MAX);
}

/* The row of this object; *is_known says whether there is one. */
static bool
find_row(struct worker *worker, const char *key, struct asset *asset, bool *is_known, struct failure *why)
{
	*is_known = catalog_find_by_key(worker->catalog, span_of(worker->plan->target->name), span_of(key),
	    deadline_in_ms(CATALOG_TIMEOUT_MS), asset, why);
	if (*is_known)
		return true;
	if (why->kind != FAIL_NOT_FOUND)
		return false;
	failure_clear(why);
	return true;
}

/* Whether the file may be left alone without being read.  For an upload: the
 * object is at the target as the row says, of the file's size, and was stored
 * after the file's last change.  A row without colours was written before
 * anybody looked at the pixels. */
static bool
looks_unchanged(struct worker *worker, const struct import_item *item, const struct asset *row)
{
	struct failure why = { 0 };
	struct origin_object object;

	if (worker->plan->trusts_nothing || row->bytes != item->bytes || row->colours[0] == '\0')
		return false;
	if (!worker->plan->is_upload)
		return item->etag[0] != '\0' && strcmp(row->etag, item->etag) == 0;
	return origin_stat(worker->target, row->key, deadline_in_ms(TRANSFER_TIMEOUT_MS), &object, &why) &&
	    object.bytes == row->bytes && strcmp(object.etag, row->etag) == 0 && item->modified < object.modified;
}

/* ---- what the file is -------------------------------------------------------------- */

/* A file without a name, so that nothing is left behind however we end. */
static int
open_scratch_file(struct failure *why)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/vitrine-import-XXXXXX",
	    folder != NULL && folder[0] == '/' ? folder : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd == -1)
		(void)fail(why, FAIL_INTERNAL, "cannot make a file like %.160s: %s", path, strerror(errno));
	else
		unlink(path);
	return fd;
}

static bool
describe_once(struct worker *worker, int input, struct deadline deadline, struct job_result *result,
    struct failure *why)
{
	const struct render_settings *render = &worker->plan->settings->render;
	const struct job job = {
		.operation = JOB_DESCRIBE,
		.recipe = "-",
		.overlays = "-",
		.format = MEDIA_NONE,
		.limits = render->limits,
		.timeout_ms = render->timeout_ms
	};
	const struct job_files files = { .input = input, .output = -1, .mark = -1 };

	return render_run(worker->renderers, &job, &files, deadline, result, why);
}

static bool
describe(struct worker *worker, int fd, struct job_result *result, struct failure *why)
{
	int64_t timeout_ms = worker->plan->settings->render.timeout_ms;
	struct deadline deadline = deadline_in_ms(DESCRIBE_TIMEOUTS * timeout_ms);
	char path[64];
	bool is_described;
	int input;

	/* The renderer must not be able to change what we upload. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	input = open(path, O_RDONLY | O_CLOEXEC);
	if (input == -1)
		return fail(why, FAIL_INTERNAL, "cannot reopen the file: %s", strerror(errno));
	/* A renderer may leave between accepting the connection and reading the job;
	 * when our parent is gone, nobody will start another. */
	while (!(is_described = describe_once(worker, input, deadline, result, why)) &&
	    why->kind == FAIL_UNAVAILABLE && !deadline_has_passed(deadline) && !lifeline_has_ended(worker->lifeline)) {
		failure_clear(why);
		deadline_sleep_ms(deadline, DESCRIBE_RETRY_MS);
	}
	close(input);
	return is_described;
}

/* ---- the row ----------------------------------------------------------------------- */

static void
set_object(struct asset *asset, const struct origin_object *object, const struct image_description *description)
{
	asset->bytes = object->bytes;
	snprintf(asset->etag, sizeof(asset->etag), "%s", object->etag);
	asset->media = description->media;
	asset->width = description->width;
	asset->height = description->height;
	asset->frames = description->frames;
	asset->orientation = description->orientation;
	asset->has_alpha = description->has_alpha;
	asset->is_progressive = description->is_progressive;
}

/* The dominant colour, then the palette: "rrggbb,rrggbb". */
static void
set_colours(struct asset *asset, const struct image_portrait *portrait)
{
	const uint8_t *dominant = portrait->dominant;
	char *end = asset->colours;

	end += snprintf(end, sizeof("rrggbb"), "%02x%02x%02x", dominant[0], dominant[1], dominant[2]);
	for (unsigned i = 0; i < portrait->palette_count; i++) {
		const uint8_t *colour = portrait->palette[i];

		end += snprintf(end, sizeof(",rrggbb"), ",%02x%02x%02x", colour[0], colour[1], colour[2]);
	}
}

static void
set_portrait(struct asset *asset, const struct image_portrait *portrait)
{
	set_colours(asset, portrait);
	snprintf(asset->blurhash, sizeof(asset->blurhash), "%s", portrait->blurhash);
	snprintf(asset->thumbhash, sizeof(asset->thumbhash), "%s", portrait->thumbhash);
	snprintf(asset->placeholder, sizeof(asset->placeholder), "%s", portrait->placeholder);
}

static bool
describes_the_same(const struct asset *a, const struct asset *b)
{
	return a->bytes == b->bytes && strcmp(a->etag, b->etag) == 0 && a->media == b->media &&
	    a->width == b->width && a->height == b->height && a->frames == b->frames &&
	    a->orientation == b->orientation && a->has_alpha == b->has_alpha &&
	    a->is_progressive == b->is_progressive && strcmp(a->colours, b->colours) == 0 &&
	    strcmp(a->blurhash, b->blurhash) == 0 && strcmp(a->thumbhash, b->thumbhash) == 0 &&
	    strcmp(a->placeholder, b->placeholder) == 0;
}

static bool
update_row(struct worker *worker, const struct asset *before, struct asset *asset, enum import_outcome *outcome,
    struct failure *why)
{
	*outcome = describes_the_same(before, asset) ? IMPORT_UNCHANGED : IMPORT_CHANGED;
	return *outcome == IMPORT_UNCHANGED || worker->plan->is_dry_run ||
	    catalog_update(worker->catalog, asset, deadline_in_ms(CATALOG_TIMEOUT_MS), why);
}

/* Inserts under this id.  When the id is taken by this very object (another
 * import is running, or a replica lags behind), its row is updated instead;
 * *is_taken tells that it belongs to another object. */
static bool
claim_id(struct worker *worker, const struct slug *slug, struct asset *asset, enum import_outcome *outcome,
    bool *is_taken, struct failure *why)
{
	struct deadline deadline = deadline_in_ms(CATALOG_TIMEOUT_MS);
	struct asset before, inserted = *asset;

	*is_taken = false;
	snprintf(asset->id, sizeof(asset->id), "%s", slug->id);
	if (catalog_find_fresh(worker->catalog, span_of(slug->id), deadline, &before, why)) {
		*is_taken = strcmp(before.origin, asset->origin) != 0 || strcmp(before.key, asset->key) != 0;
		return !*is_taken && update_row(worker, &before, asset, outcome, why);
	}
	if (why->kind != FAIL_NOT_FOUND)
		return false;
	failure_clear(why);
	*outcome = IMPORT_NEW;
	snprintf(inserted.id, sizeof(inserted.id), "%s", slug->id);
	if (worker->plan->is_dry_run || catalog_insert(worker->catalog, &inserted, deadline, why))
		return true;
	*is_taken = why->kind == FAIL_BAD_REQUEST && strstr(why->detail, "duplicate") != NULL;
	return false;
}

static bool
insert_row(struct worker *worker, const struct import_item *item, struct asset *asset, enum import_outcome *outcome,
    struct failure *why)
{
	struct span origin = span_of(asset->origin), key = span_of(asset->key);
	/* Each twice: an id that was free a moment ago may have been taken for this very object. */
	const struct slug plain = slug_of_key(key), distinct = slug_distinct(origin, key);
	const struct slug *const tries[] = { &plain, &plain, &distinct, &distinct };
	bool is_taken = true;

	for (unsigned i = item->wants_distinct_id ? 2 : 0; i < 4 && is_taken; i++) {
		failure_clear(why);
		if (claim_id(worker, tries[i], asset, outcome, &is_taken, why))
			return true;
	}
	if (!is_taken)
		return false;
	failure_clear(why);
	return fail(why, FAIL_UNPROCESSABLE, "the id %s belongs to another object", distinct.id);
}

/* ---- one object -------------------------------------------------------------------- */

static bool
import_file(struct worker *worker, const struct import_item *item, int fd, const struct asset *before, bool is_known,
    struct asset *asset, enum import_outcome *outcome, struct failure *why)
{
	struct deadline deadline = deadline_in_ms(TRANSFER_TIMEOUT_MS);
	struct origin_object object;
	struct job_result found;
	enum media media;

	if (!origin_fetch(worker->source, item->key, fd, deadline, &object, why) || !describe(worker, fd, &found, why))
		return false;
	media = found.outcome.source.media;
	if (worker->plan->is_upload && !worker->plan->is_dry_run &&
	    !origin_put(worker->target, asset->key, fd, media_type(media), deadline, &object, why))
		return false;
	set_object(asset, &object, &found.outcome.source);
	set_portrait(asset, &found.portrait);
	if (is_known)
		return update_row(worker, before, asset, outcome, why);
	return insert_row(worker, item, asset, outcome, why);
}

static struct asset
new_asset(const struct import_plan *plan, const char *key)
{
	struct asset asset = { .visibility = plan->visibility };

	snprintf(asset.origin, sizeof(asset.origin), "%s", plan->target->name);
	snprintf(asset.key, sizeof(asset.key), "%s", key);
	snprintf(asset.owner, sizeof(asset.owner), "%s", plan->owner);
	return asset;
}

static bool
import_object(struct worker *worker, const struct import_item *item, struct asset *asset, enum import_outcome *outcome,
    struct failure *why)
{
	char key[ASSET_KEY_MAX + 1];
	struct asset before;
	bool is_known, is_done;
	int fd;

	if (!key_in_target(worker, item, key, why) || !find_row(worker, key, &before, &is_known, why))
		return false;
	*asset = is_known ? before : new_asset(worker->plan, key);
	if (is_known && looks_unchanged(worker, item, &before)) {
		*outcome = IMPORT_UNCHANGED;
		return true;
	}
	if ((fd = open_scratch_file(why)) == -1)
		return false;
	is_done = import_file(worker, item, fd, &before, is_known, asset, outcome, why);
	close(fd);
	return is_done;
}

/* Whether the file itself is to blame, so that going on makes sense. */
static bool
is_refusal(enum failure_kind kind)
{
	return kind == FAIL_UNSUPPORTED || kind == FAIL_UNPROCESSABLE || kind == FAIL_CRASHED ||
	    kind == FAIL_NOT_FOUND || kind == FAIL_BAD_REQUEST;
}

static void
work_on(struct worker *worker, const struct import_item *item, struct import_result *result)
{
	struct asset asset = { 0 };

	*result = (struct import_result){ 0 };
	memcpy(result->key, item->key, sizeof(result->key));
	if (!import_object(worker, item, &asset, &result->outcome, &result->why))
		result->outcome = is_refusal(result->why.kind) ? IMPORT_REFUSED : IMPORT_FAILED;
	memcpy(result->id, asset.id, sizeof(result->id));
}

/* ---- the process ------------------------------------------------------------------- */

static bool
worker_open(struct worker *worker, struct failure *why)
{
	const struct import_plan *plan = worker->plan;

	if ((worker->peers = peers_open(&plan->settings->peers, why)) == NULL ||
	    (worker->source = origin_open(&plan->source, why)) == NULL)
		return false;
	worker->target = plan->is_upload ? origin_open(plan->target, why) : worker->source;
	worker->catalog = catalog_open(&plan->settings->catalog, worker->peers);
	return worker->target != NULL;
}

static void
worker_close(struct worker *worker)
{
	if (worker->catalog != NULL)
		catalog_close(worker->catalog);
	if (worker->target != NULL && worker->target != worker->source)
		origin_close(worker->target);
	if (worker->source != NULL)
		origin_close(worker->source);
	if (worker->peers != NULL)
		peers_close(worker->peers);
}

/* False when there are no more, or nobody wants us to go on. */
static bool
take_item(int items, int lifeline, struct import_item *item)
{
	struct pollfd wait[] = { { items, POLLIN, 0 }, { lifeline, 0, 0 } };
	ssize_t got;

	for (;;) {
		if (poll(wait, 2, -1) == -1 && errno == EINTR)
			continue;
		if (wait[1].revents != 0)
			return false;
		got = recv(items, item, sizeof(*item), MSG_DONTWAIT);
		if (got != -1)
			return got > (ssize_t)offsetof(struct import_item, key);
		if (errno != EAGAIN)	/* somebody else was faster */
			return false;
	}
}

int
import_worker_run(const struct import_plan *plan, const struct render_address *renderers, int items, int results,
    int lifeline)
{
	struct worker worker = { .plan = plan, .renderers = renderers, .lifeline = lifeline };
	struct failure why = { 0 };
	bool is_open = worker_open(&worker, &why);
	struct import_result result;
	struct import_item item;

	while (take_item(items, lifeline, &item)) {
		if (is_open)
			work_on(&worker, &item, &result);
		else
			result = (struct import_result){ .outcome = IMPORT_FAILED, .why = why };
		memcpy(result.key, item.key, sizeof(result.key));
		if (send(results, &result, offsetof(struct import_result, key) + strlen(result.key) + 1,
		    MSG_NOSIGNAL) == -1)
			break;
	}
	if (worker.catalog != NULL)
		tell_ring(worker.catalog, plan->settings);
	worker_close(&worker);
	return EXIT_SUCCESS;
}
