#include "origin/credentials.h"

#include "base/arena.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static bool
is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* Printable ASCII without spaces: a line end here would become a header of its own. */
static bool
take(struct span value, char *out, size_t max)
{
	if (value.length > max)
		return false;
	for (size_t i = 0; i < value.length; i++)
		if (value.at[i] <= ' ' || value.at[i] > '~')
			return false;
	if (value.length > 0)
		memcpy(out, value.at, value.length);
	out[value.length] = '\0';
	return true;
}

/* A pair and perhaps a token, from one place. */
static bool
take_all(const char *place, const char *id, const char *secret, const char *token,
    struct credentials *found, struct failure *why)
{
	if (!is_set(secret))
		return fail(why, FAIL_INTERNAL, "%s: an access key id without its secret", place);
	if (!take(span_of(id), found->access_key_id, CREDENTIALS_KEY_MAX))
		return fail(why, FAIL_INTERNAL, "%s: malformed access key id", place);
	if (!take(span_of(secret), found->secret_access_key, CREDENTIALS_KEY_MAX))
		return fail(why, FAIL_INTERNAL, "%s: malformed secret access key", place);
	if (!take(span_of(token != NULL ? token : ""), found->session_token, CREDENTIALS_TOKEN_MAX))
		return fail(why, FAIL_INTERNAL, "%s: malformed session token", place);
	return true;
}

static bool
take_setting(struct span line, struct credentials *found)
{
	struct span value = line;
	struct span name = span_trim(span_cut(&value, '='));

	if (value.at == NULL)
		return true;
	value = span_trim(value);
	if (span_equals_ignoring_case(name, "aws_access_key_id"))
		return take(value, found->access_key_id, CREDENTIALS_KEY_MAX);
	if (span_equals_ignoring_case(name, "aws_secret_access_key"))
		return take(value, found->secret_access_key, CREDENTIALS_KEY_MAX);
	if (span_equals_ignoring_case(name, "aws_session_token"))
		return take(value, found->session_token, CREDENTIALS_TOKEN_MAX);
	return true;
}

static bool
is_section(struct span line, const char *profile, bool *is_ours)
{
	if (line.length < 2 || line.at[0] != '[' || line.at[line.length - 1] != ']')
		return false;
	*is_ours = span_equals(span_trim(span_range(line.at + 1, line.length - 2)), profile);
	return true;
}

bool
credentials_parse(struct span text, const char *profile, struct credentials *found)
{
	bool is_ours = false;

	*found = (struct credentials){ 0 };
	while (text.at != NULL) {
		struct span line = span_cut(&text, '\n');

		if (line.length > 0 && line.at[line.length - 1] == '\r')
			line.length--;
		if (line.length == 0 || strchr(" \t#;", line.at[0]) != NULL)
			continue;
		line = span_trim(line);
		if (!is_section(line, profile, &is_ours) && is_ours && !take_setting(line, found))
			return false;
	}
	return found->access_key_id[0] != '\0' && found->secret_access_key[0] != '\0';
}

static const char *
file_path(struct arena *arena)
{
	const char *path = secure_getenv("AWS_SHARED_CREDENTIALS_FILE");
	const char *home = secure_getenv("HOME");

	if (is_set(path))
		return path;
	return is_set(home) ? arena_printf(arena, "%s/.aws/credentials", home) : NULL;
}

static bool
find_in_file(struct arena *arena, const char *profile, struct credentials *found,
    struct failure *why)
{
	const char *path = file_path(arena);
	char *bytes;
	size_t length;
	bool is_found;

	if (!is_set(profile))
		profile = secure_getenv("AWS_PROFILE");
	if (!is_set(profile))
		profile = "default";
	if (path == NULL)
		return fail(why, FAIL_INTERNAL,
		    "no S3 credentials in the configuration or the environment, and no HOME");
	if (!file_read_small(arena, path, CREDENTIALS_FILE_MAX, &bytes, &length, why))
		return false;
	is_found = credentials_parse(span_range(bytes, length), profile, found);
	explicit_bzero(bytes, length);
	if (!is_found)
		return fail(why, FAIL_INTERNAL, "no complete S3 credentials for profile %.64s in %.128s",
		    profile, path);
	return true;
}

bool
credentials_find(const struct credentials_config *config, struct credentials *found,
    struct failure *why)
{
	const char *id = secure_getenv("AWS_ACCESS_KEY_ID");
	struct arena *arena;
	bool is_found;

	*found = (struct credentials){ 0 };
	if (is_set(config->access_key_id))
		return take_all("configuration", config->access_key_id, config->secret_access_key,
		    config->session_token, found, why);
	if (is_set(id) && !is_set(config->profile))
		return take_all("environment", id, secure_getenv("AWS_SECRET_ACCESS_KEY"),
		    secure_getenv("AWS_SESSION_TOKEN"), found, why);
	arena = arena_new();
	is_found = find_in_file(arena, config->profile, found, why);
	arena_free(arena);
	return is_found;
}
