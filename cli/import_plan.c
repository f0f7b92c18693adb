#include "cli/import_plan.h"

#include "cli/voice.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOBS_PER_CORE = 2, JOBS_MAX = 256 };

/* ---- s3://bucket/prefix ---------------------------------------------------------- */

static bool
holds(const struct origin_config *origin, struct span bucket, struct span prefix)
{
	return origin->kind == ORIGIN_S3 && span_equals(bucket, origin->bucket) &&
	    span_starts_with(prefix, origin->prefix);
}

/* The origin of that bucket, of several the one whose own prefix says most. */
static const struct origin_config *
origin_of_bucket(const struct settings *settings, struct span bucket, struct span prefix)
{
	const struct origin_config *best = NULL;

	for (unsigned i = 0; i < settings->origin_count; i++) {
		const struct origin_config *origin = &settings->origins[i];

		if (holds(origin, bucket, prefix) && (best == NULL || strlen(origin->prefix) > strlen(best->prefix)))
			best = origin;
	}
	return best;
}

/* A row describes the object that its own origin has. */
static struct origin_config
without_fallback(const struct origin_config *origin)
{
	struct origin_config alone = *origin;

	alone.fallback = NULL;
	return alone;
}

static int
plan_bucket(const struct invocation *invocation, const struct origin_config *named, struct import_plan *plan)
{
	struct span prefix = span_of(invocation->operands[0] + strlen("s3://"));
	struct span bucket = span_cut(&prefix, '/');
	const struct origin_config *origin = named;

	if (prefix.at == NULL)
		prefix = span_of("");
	if (bucket.length == 0) {
		complain_usage("import", "%s names no bucket", invocation->operands[0]);
		return EX_USAGE;
	}
	if (invocation_has(invocation, "prefix")) {
		complain_usage("import", "--prefix goes with a directory; a bucket's objects keep their keys");
		return EX_USAGE;
	}
	if (named == NULL)
		origin = origin_of_bucket(plan->settings, bucket, prefix);
	if (origin == NULL || !holds(origin, bucket, prefix)) {
		complain("%s is in no configured origin", invocation->operands[0]);
		return EX_CONFIG;
	}
	plan->source = without_fallback(origin);
	plan->target = origin;
	plan->list_prefix = prefix.at + strlen(origin->prefix);
	return EXIT_SUCCESS;
}

/* ---- a directory ----------------------------------------------------------------- */

/* What of the path is below the origin's root: "" for the root itself, "a/b/"
 * for a folder in it, NULL when it is elsewhere. */
static const char *
path_below_root(struct arena *arena, const struct origin_config *origin, const char *path)
{
	char root[PATH_MAX];
	size_t length;

	if (origin->kind != ORIGIN_DIRECTORY || realpath(origin->root, root) == NULL)
		return NULL;
	length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(path, root, length) != 0)
		return NULL;
	if (path[length] == '\0')
		return "";
	return path[length] == '/' ? arena_printf(arena, "%s/", path + length + 1) : NULL;
}

static const struct origin_config *
origin_around(struct arena *arena, const struct settings *settings, const char *path)
{
	for (unsigned i = 0; i < settings->origin_count; i++)
		if (path_below_root(arena, &settings->origins[i], path) != NULL)
			return &settings->origins[i];
	return NULL;
}

static int
plan_folder(const struct invocation *invocation, const struct origin_config *named, struct import_plan *plan)
{
	struct arena *arena = invocation->context->arena;
	const char *prefix = invocation_option(invocation, "prefix");
	const struct origin_config *origin = named;
	char path[PATH_MAX];
	struct stat status;

	if (realpath(invocation->operands[0], path) == NULL || stat(path, &status) == -1) {
		complain("%s: %s", invocation->operands[0], strerror(errno));
		return EXIT_FAILURE;
	}
	if (!S_ISDIR(status.st_mode)) {
		complain("%s is no directory", invocation->operands[0]);
		return EXIT_FAILURE;
	}
	if (origin == NULL)
		origin = origin_around(arena, plan->settings, path);
	if (origin == NULL)
		origin = &plan->settings->origins[0];
	plan->target = origin;
	if (origin->kind == ORIGIN_S3) {
		plan->is_upload = true;
		plan->key_prefix = prefix != NULL ? prefix : "";
		plan->list_prefix = "";
		plan->source = (struct origin_config){ .name = "import", .kind = ORIGIN_DIRECTORY,
			.max_bytes = origin->max_bytes, .root = arena_copy_string(arena, path), .prefix = "" };
		return EXIT_SUCCESS;
	}
	plan->source = without_fallback(origin);
	plan->list_prefix = path_below_root(arena, origin, path);
	if (prefix != NULL) {
		complain_usage("import", "--prefix goes with an S3 origin; files in a directory keep their names");
		return EX_USAGE;
	}
	if (plan->list_prefix == NULL) {
		complain("%s is not inside %s, the root of the origin %s", path, origin->root, origin->name);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* ---- both ------------------------------------------------------------------------ */

static bool
read_options(const struct invocation *invocation, struct import_plan *plan)
{
	const char *visibility = invocation_option(invocation, "visibility");
	const char *owner = invocation_option(invocation, "owner");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t jobs = cores > 0 ? (uint64_t)cores * JOBS_PER_CORE : JOBS_PER_CORE;

	if (!invocation_number(invocation, "jobs", 1, JOBS_MAX, &jobs))
		return false;
	plan->jobs = jobs < JOBS_MAX ? (unsigned)jobs : JOBS_MAX;
	plan->visibility = VISIBILITY_PUBLIC;
	if (visibility != NULL && (!asset_visibility_find(span_of(visibility), &plan->visibility) ||
	    plan->visibility == VISIBILITY_GONE)) {
		complain_usage("import", "--visibility is public or signed");
		return false;
	}
	plan->owner = owner != NULL ? owner : "";
	if (strlen(plan->owner) > ASSET_TEXT_MAX || !span_is_utf8(span_of(plan->owner))) {
		complain_usage("import", "--owner takes up to %d bytes of UTF-8", ASSET_TEXT_MAX);
		return false;
	}
	plan->is_dry_run = invocation_has(invocation, "dry-run");
	plan->trusts_nothing = invocation_has(invocation, "again");
	plan->takes_any_name = invocation_has(invocation, "all");
	plan->is_verbose = invocation_has(invocation, "verbose");
	return true;
}

int
import_plan_make(const struct invocation *invocation, struct import_plan *plan)
{
	const struct context *context = invocation->context;
	const char *name = invocation_option(invocation, "origin");
	const struct origin_config *named = name != NULL ? context_origin(context, name) : NULL;

	*plan = (struct import_plan){ .settings = &context->settings, .key_prefix = "" };
	if (!read_options(invocation, plan))
		return EX_USAGE;
	if (context->settings.origin_count == 0) {
		complain("the configuration has no [origin.NAME]");
		return EX_CONFIG;
	}
	if (name != NULL && named == NULL) {
		complain("the configuration has no [origin.%s]", name);
		return EX_CONFIG;
	}
	if (strncmp(invocation->operands[0], "s3://", 5) == 0)
		return plan_bucket(invocation, named, plan);
	return plan_folder(invocation, named, plan);
}
