#include "origin/origin.h"

#include "base/check.h"
#include "origin/directory.h"
#include "origin/s3.h"

#include <stdlib.h>

struct origin {
	struct arena *arena;		/* holds the copies of the configuration's texts */
	struct origin_config config;
	struct s3 *s3;			/* NULL, or the one that config.kind names */
	struct directory *directory;
	struct origin *fallback;	/* NULL for none */
};

/* What does not concern a kind of origin may be left out. */
static void
keep(struct arena *arena, const char **text)
{
	*text = arena_copy_string(arena, *text != NULL ? *text : "");
}

static void
keep_config(struct origin *origin, const struct origin_config *config)
{
	struct origin_config *own = &origin->config;
	const char **texts[] = {
		&own->name, &own->root, &own->endpoint, &own->region, &own->bucket, &own->prefix,
		&own->access_key_id, &own->secret_access_key, &own->session_token, &own->profile,
		&own->tls_ca, &own->fallback_name,
	};

	*own = *config;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		keep(origin->arena, texts[i]);
}

static bool
open_parts(struct origin *origin, struct failure *why)
{
	const struct origin_config *config = &origin->config;

	if (config->kind == ORIGIN_S3)
		origin->s3 = s3_open(config, why);
	else
		origin->directory = directory_open(config, why);
	if (origin->s3 == NULL && origin->directory == NULL)
		return false;
	if (config->fallback != NULL)
		origin->fallback = origin_open(config->fallback, why);
	return config->fallback == NULL || origin->fallback != NULL;
}

struct origin *
origin_open(const struct origin_config *config, struct failure *why)
{
	struct origin *origin = calloc(1, sizeof(*origin));

	CHECK(origin != NULL);
	origin->arena = arena_new();
	keep_config(origin, config);
	if (open_parts(origin, why))
		return origin;
	origin_close(origin);
	return NULL;
}

void
origin_close(struct origin *origin)
{
	if (origin == NULL)
		return;
	origin_close(origin->fallback);
	s3_close(origin->s3);
	directory_close(origin->directory);
	arena_free(origin->arena);
	free(origin);
}

const struct origin_config *
origin_config(const struct origin *origin)
{
	return &origin->config;
}

/* ---- fetching, with a fallback ------------------------------------------------------- */

static bool
fetch_from(struct origin *origin, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	if (origin->s3 != NULL)
		return s3_fetch(origin->s3, key, fd, deadline, object, why);
	return directory_fetch(origin->directory, key, fd, deadline, object, why);
}

/* So that the caller can tell whether it is the object of the first. */
static void
describe_copy(int fd, struct origin_object *object)
{
	unsigned char digest[MD5_BYTES];

	object->is_from_fallback = true;
	if (md5_of_file(fd, digest))
		hex_print(digest, sizeof(digest), object->md5);
}

/* The other kinds are about the object, or about this machine. */
static bool
another_may_do_better(enum failure_kind kind)
{
	return kind == FAIL_UPSTREAM || kind == FAIL_TIMEOUT || kind == FAIL_UNAVAILABLE;
}

bool
origin_fetch(struct origin *origin, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	struct failure first = { 0 }, second = { 0 };
	struct deadline share = deadline;

	if (origin->fallback != NULL)
		share = deadline_within_ms(deadline, deadline_left_ms(deadline) / 2);
	if (fetch_from(origin, key, fd, share, object, &first))
		return true;
	if (origin->fallback == NULL || !another_may_do_better(first.kind) || deadline_has_passed(deadline))
		return fail(why, first.kind, "%s", first.detail);
	if (!origin_fetch(origin->fallback, key, fd, deadline, object, &second))
		return fail(why, first.kind, "%.120s; %.120s", first.detail, second.detail);
	describe_copy(fd, object);
	return true;
}

bool
origin_stat(struct origin *origin, const char *key, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	if (origin->s3 != NULL)
		return s3_stat(origin->s3, key, deadline, object, why);
	return directory_stat(origin->directory, key, object, why);
}

bool
origin_put(struct origin *origin, const char *key, int fd, const char *content_type,
    struct deadline deadline, struct origin_object *object, struct failure *why)
{
	if (origin->s3 != NULL)
		return s3_put(origin->s3, key, fd, content_type, deadline, object, why);
	return directory_put(origin->directory, key, fd, deadline, object, why);
}

bool
origin_list(struct origin *origin, const char *prefix, struct deadline deadline,
    bool (*each)(void *state, const char *key, const struct origin_object *object), void *state,
    struct failure *why)
{
	if (origin->s3 != NULL)
		return s3_list(origin->s3, prefix, deadline, each, state, why);
	return directory_list(origin->directory, prefix, deadline, each, state, why);
}

bool
origin_probe(struct origin *origin, struct deadline deadline, struct failure *why)
{
	if (origin->s3 != NULL)
		return s3_probe(origin->s3, deadline, why);
	return directory_probe(origin->directory, why);
}
