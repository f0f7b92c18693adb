#include "origin/s3.h"

#include "base/digest.h"
#include "origin/s3_call.h"
#include "origin/timestamp.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static void
describe(const struct http_response *response, uint64_t bytes, struct origin_object *object)
{
	struct span value;

	*object = (struct origin_object){ .bytes = bytes };
	if (http_response_header(response, "etag", &value))
		s3_etag_copy(value, object->etag);
	if (!http_response_header(response, "last-modified", &value) ||
	    !timestamp_parse_http(value, &object->modified))
		object->modified = 0;
}

/* With the prefix.  False: no object can have such a key. */
static bool
full_key(const struct s3 *s3, const char *key, struct arena *arena, struct span *full)
{
	if (key[0] == '\0' || strlen(s3_config(s3)->prefix) + strlen(key) > ASSET_KEY_MAX)
		return false;
	*full = span_of(arena_printf(arena, "%s%s", s3_config(s3)->prefix, key));
	return true;
}

static bool
fetch(struct s3 *s3, const char *key, int fd, struct deadline deadline, struct arena *arena,
    struct origin_object *object, struct failure *why)
{
	struct http_response response;
	struct span full;

	if (!full_key(s3, key, arena, &full))
		return fail(why, FAIL_NOT_FOUND, "no object can have such a key");
	struct s3_call call = s3_call_for(s3, HTTP_GET, full);
	call.sink_fd = fd;
	call.max_bytes = s3_config(s3)->max_bytes;
	if (!s3_call_run(s3, &call, deadline, arena, &response, why))
		return false;
	describe(&response, response.bytes, object);
	return true;
}

bool
s3_fetch(struct s3 *s3, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	struct arena *arena = arena_new();
	bool is_done = fetch(s3, key, fd, deadline, arena, object, why);

	arena_free(arena);
	return is_done;
}

static bool
stat_object(struct s3 *s3, const char *key, struct deadline deadline, struct arena *arena,
    struct origin_object *object, struct failure *why)
{
	struct http_response response;
	struct span full;
	uint64_t bytes;

	if (!full_key(s3, key, arena, &full))
		return fail(why, FAIL_NOT_FOUND, "no object can have such a key");
	const struct s3_call call = s3_call_for(s3, HTTP_HEAD, full);
	if (!s3_call_run(s3, &call, deadline, arena, &response, why))
		return false;
	if (!http_response_length(&response, &bytes))
		return fail(why, FAIL_UPSTREAM, "origin %s does not tell the size", s3_config(s3)->name);
	describe(&response, bytes, object);
	return true;
}

bool
s3_stat(struct s3 *s3, const char *key, struct deadline deadline, struct origin_object *object,
    struct failure *why)
{
	struct arena *arena = arena_new();
	bool is_done = stat_object(s3, key, deadline, arena, object, why);

	arena_free(arena);
	return is_done;
}

/* A line end in it would be a header of its own. */
static bool
content_type_is_valid(const char *content_type)
{
	for (const char *at = content_type; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return content_type[0] != '\0' && strlen(content_type) <= ASSET_TEXT_MAX;
}

static bool
put(struct s3 *s3, const char *key, int fd, const char *content_type, struct deadline deadline,
    struct arena *arena, struct origin_object *object, struct failure *why)
{
	unsigned char digest[SHA256_BYTES];
	char payload_hash[SHA256_HEX + 1];
	struct http_response response;
	struct span full;
	struct stat stat;

	if (!full_key(s3, key, arena, &full))
		return fail(why, FAIL_BAD_REQUEST, "object key is empty or too long");
	if (!content_type_is_valid(content_type))
		return fail(why, FAIL_BAD_REQUEST, "malformed media type");
	if (fstat(fd, &stat) == -1 || !S_ISREG(stat.st_mode) || !sha256_of_file(fd, digest))
		return fail(why, FAIL_INTERNAL, "cannot read the file to store: %s", strerror(errno));
	hex_print(digest, sizeof(digest), payload_hash);
	struct s3_call call = s3_call_for(s3, HTTP_PUT, full);
	call.payload_hash = payload_hash;
	call.body_fd = fd;
	call.body_bytes = (uint64_t)stat.st_size;
	call.extra_header = arena_printf(arena, "content-type: %s", content_type);
	if (!s3_call_run(s3, &call, deadline, arena, &response, why))
		return false;
	describe(&response, call.body_bytes, object);
	object->modified = s3_time(s3);	/* S3 does not say */
	return true;
}

bool
s3_put(struct s3 *s3, const char *key, int fd, const char *content_type, struct deadline deadline,
    struct origin_object *object, struct failure *why)
{
	struct arena *arena = arena_new();
	bool is_done = put(s3, key, fd, content_type, deadline, arena, object, why);

	arena_free(arena);
	return is_done;
}
