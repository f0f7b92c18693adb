/*
 * import.c - brings originals into the catalog: the process that lists them,
 * hands them out and counts what became of each.  See import.h for the others.
 */
#include "cli/import.h"

#include "asset/slug.h"
#include "base/check.h"
#include "cli/command.h"
#include "cli/id_set.h"
#include "cli/import_plan.h"
#include "cli/import_pool.h"
#include "cli/progress.h"
#include "cli/tell_ring.h"
#include "cli/voice.h"

#include <inttypes.h>
#include <string.h>

#define LIST_TIMEOUT_MS (30LL * 24 * 60 * 60 * 1000)	/* the listing waits for the workers */

enum {
	PROBE_TIMEOUT_MS = 15000,
	FAILURES_MAX = 10	/* in a row: whatever is broken will not heal while we hammer it */
};

static const char *const outcome_names[IMPORT_OUTCOME_COUNT] = {
	"imported", "unchanged", "changed", "refused", "failed"
};

struct import {
	struct import_plan plan;
	struct import_pool *pool;
	struct progress progress;
	struct id_set ids;		/* suggested so far */
	uint64_t counts[IMPORT_OUTCOME_COUNT], skipped;
	unsigned failures_in_a_row;
};

/* ---- what became of them ----------------------------------------------------------- */

/* Skipped and failed ones are named only when there are any. */
static void
add_counts(const struct import *import, struct text *line)
{
	for (unsigned i = 0; i <= IMPORT_REFUSED; i++)
		text_printf(line, "%s%s %" PRIu64, i > 0 ? ", " : "", outcome_names[i], import->counts[i]);
	if (import->skipped > 0)
		text_printf(line, ", skipped %" PRIu64, import->skipped);
	if (import->counts[IMPORT_FAILED] > 0)
		text_printf(line, ", failed %" PRIu64, import->counts[IMPORT_FAILED]);
}

static void
show_progress(void *state)
{
	struct import *import = state;
	struct arena *arena;
	uint64_t done = 0;
	struct text line;

	if (!progress_is_due(&import->progress))
		return;
	arena = arena_new();
	text_init(&line, arena, 256);
	for (unsigned i = 0; i < IMPORT_OUTCOME_COUNT; i++)
		done += import->counts[i];
	add_counts(import, &line);
	text_printf(&line, " (%.0f a second)", (double)done / (progress_elapsed_s(&import->progress) + 0.001));
	progress_show(&import->progress, line.at);
	arena_free(arena);
}

static void
complain_of_object(struct import *import, const struct import_result *result)
{
	progress_clear(&import->progress);
	fprintf(stderr, "vitrine: %s ", outcome_names[result->outcome]);
	print_safely(stderr, span_of(result->key));
	fputs(": ", stderr);
	print_safely(stderr, span_of(result->why.detail));
	fputc('\n', stderr);
}

static void
count_failure(struct import *import)
{
	if (++import->failures_in_a_row < FAILURES_MAX)
		return;
	if (import->failures_in_a_row == FAILURES_MAX)
		complain("giving up after %d failures in a row", FAILURES_MAX);
	import_pool_stop(import->pool);
}

static void
on_result(void *state, const struct import_result *result)
{
	struct import *import = state;

	import->counts[result->outcome]++;
	if (result->outcome == IMPORT_REFUSED || result->outcome == IMPORT_FAILED)
		complain_of_object(import, result);
	if (result->outcome == IMPORT_FAILED) {
		count_failure(import);
		return;
	}
	import->failures_in_a_row = 0;
	if (result->outcome != IMPORT_REFUSED && import->plan.is_verbose) {
		progress_clear(&import->progress);
		printf("%s\t%s\t", outcome_names[result->outcome], result->id);
		print_safely(stdout, span_of(result->key));
		putchar('\n');
	}
}

/* ---- which there are --------------------------------------------------------------- */

/* By its name alone: an image's extension, or none. */
static bool
may_be_image(const char *key)
{
	const char *slash = strrchr(key, '/'), *name = slash != NULL ? slash + 1 : key;
	const char *dot = strrchr(name, '.');

	return name[0] != '\0' && (dot == NULL || media_of_extension(span_of(dot + 1)) != MEDIA_NONE);
}

static bool
suggests_a_new_id(struct import *import, const char *key)
{
	struct arena *arena = arena_new();
	struct slug slug = slug_of_key(span_of(arena_printf(arena, "%s%s", import->plan.key_prefix, key)));

	arena_free(arena);
	return id_set_add(&import->ids, slug.id);
}

static bool
give_object(void *state, const char *key, const struct origin_object *object)
{
	struct import *import = state;
	struct import_item item = { .bytes = object->bytes, .modified = object->modified };

	if (!may_be_image(key) && !(import->plan.takes_any_name && key[0] != '\0' && key[strlen(key) - 1] != '/')) {
		import->skipped++;
		return true;
	}
	CHECK(strlen(key) <= ASSET_KEY_MAX);
	memcpy(item.key, key, strlen(key) + 1);
	memcpy(item.etag, object->etag, sizeof(item.etag));
	item.wants_distinct_id = !suggests_a_new_id(import, key);
	return import_pool_give(import->pool, &item);
}

/* Whether it is any use to begin: one clear line instead of one for each file. */
static bool
everything_answers(struct import *import, struct context *context, struct failure *why)
{
	struct deadline deadline = deadline_in_ms(PROBE_TIMEOUT_MS);
	struct catalog *catalog = context_catalog(context);
	struct origin *target = origin_open(import->plan.target, why);
	bool answers = target != NULL && origin_probe(target, deadline, why);
	struct asset asset;

	if (target != NULL)
		origin_close(target);
	if (!answers)
		return false;
	if (catalog == NULL)
		return fail(why, FAIL_INTERNAL, "the catalog cannot be opened");
	if (catalog_find_by_key(catalog, span_of(import->plan.target->name), span_of("-"), deadline, &asset, why))
		return true;
	if (why->kind != FAIL_NOT_FOUND)
		return false;
	failure_clear(why);
	return true;
}

static bool
list_source(struct import *import, struct failure *why)
{
	struct origin *source = origin_open(&import->plan.source, why);
	bool is_listed;

	if (source == NULL)
		return false;
	is_listed = origin_list(source, import->plan.list_prefix, deadline_in_ms(LIST_TIMEOUT_MS), give_object, import,
	    why);
	origin_close(source);
	return is_listed;
}

/* ---- the command -------------------------------------------------------------------- */

static bool
run_processes(struct import *import, struct context *context, struct failure *why)
{
	const struct import_listener listener = { on_result, show_progress, import };
	struct failure of_pool = { 0 };
	bool is_listed;

	import->pool = import_pool_open(context->arena, &import->plan, &listener, why);
	if (import->pool == NULL)
		return false;
	is_listed = everything_answers(import, context, why) && list_source(import, why);
	if (!import_pool_close(import->pool, &of_pool)) {
		if (is_listed)
			*why = of_pool;
		is_listed = false;
	}
	progress_clear(&import->progress);
	return is_listed;
}

static int
run_import(struct invocation *invocation)
{
	struct import import = { .failures_in_a_row = 0 };
	struct failure why = { 0 };
	struct text line;
	int status = import_plan_make(invocation, &import.plan);
	bool is_complete;

	if (status != EXIT_SUCCESS)
		return status;
	progress_init(&import.progress);
	id_set_init(&import.ids);
	is_complete = run_processes(&import, invocation->context, &why);
	id_set_release(&import.ids);
	text_init(&line, invocation->context->arena, 256);
	add_counts(&import, &line);
	printf("%s%s\n", import.plan.is_dry_run ? "dry run: " : "", line.at);
	status = exit_status_of_output();
	if (!is_complete)
		complain("%s", why.detail);
	if (!is_complete || import.counts[IMPORT_FAILED] > 0)
		return EXIT_FAILURE;
	return status == EXIT_SUCCESS && import.counts[IMPORT_REFUSED] > 0 ? EX_DATAERR : status;
}

static const struct command_option options[] = {
	{ "origin", "NAME", "The origin that the assets belong to; otherwise the one that holds the bucket or the "
	    "directory, or the first one in the configuration." },
	{ "prefix", "TEXT", "Put before the keys of files that are uploaded, as photos/." },
	{ "jobs", "N", "Objects that are worked on at once; two for each core when it is not said." },
	{ "visibility", "WORD", "Of new assets: public (when it is not said) or signed." },
	{ "owner", "TEXT", "Of new assets." },
	{ "all", NULL, "Also looks into files whose names have an extension that is no image's." },
	{ "again", NULL, "Reads and uploads also what looks unchanged." },
	{ "dry-run", NULL, "Reads and describes, but uploads and registers nothing." },
	{ "verbose", NULL, "One line for each object: what was done, id and key, separated by tabs." },
	{ 0 }
};

const struct command import_command = {
	.name = "import",
	.operands = "DIR | s3://BUCKET[/PREFIX]",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "bring originals into the catalog",
	.manual =
	    "Registers every image in a directory or a bucket. A directory's files are\n"
	    "uploaded to the S3 origin, under the key PREFIX + relative path; a directory\n"
	    "inside the root of a directory origin, and a bucket of an S3 origin, stay where\n"
	    "they are. Hidden files, and files with another extension than an image's, are\n"
	    "skipped.\n\n"
	    "Each file is looked into by a renderer, in its own process: its size, its colours,\n"
	    "its hashes and a placeholder are found and stored. For that its first frame is\n"
	    "decoded. What is no image, is damaged or cut off, or is over a limit is refused:\n"
	    "one line on standard error with the reason, and the rest goes on. Ten failures in\n"
	    "a row that are not a file's fault end the import.\n\n"
	    "It is safe to run again, also after an interruption: what is unchanged is left\n"
	    "alone, what has changed is updated, and every size and format of it is stale at\n"
	    "once. Unchanged is an object with the row's size and ETag; a file that was\n"
	    "uploaded, when the object is there with the row's size and ETag and was stored\n"
	    "after the file's last change. Use --again for files that were replaced by older\n"
	    "ones of the same size. An asset that was registered before colours and hashes\n"
	    "were stored counts as changed, once.\n\n"
	    "An asset's id is its key without the extension, with every run of other\n"
	    "characters than A-Z a-z 0-9 _ replaced by one -, cut to 64. When that id belongs\n"
	    "to another object, - and eight hex digits (of the SHA-256 of ORIGIN:KEY) are\n"
	    "appended. An object that is registered keeps its id.\n\n"
	    TELL_RING_MANUAL
    "Prints at the end: imported 31, unchanged 0, changed 0, refused 2. Ctrl-C\n"
	    "finishes the objects at hand; twice, it does not.",
	.options = options,
	.run = run_import,
};
