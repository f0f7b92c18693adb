/*
 * fuzz_credentials - a shared credentials file.  What is found can stand in headers,
 * and is found again in a file that has nothing else,
 * and in one with other line ends.
 */
#include "base/check.h"
#include "origin/credentials.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
print(const struct credentials *credentials, struct text *out)
{
	text_printf(out, "[main]\naws_access_key_id=%s\naws_secret_access_key=%s\naws_session_token=%s\n",
	    credentials->access_key_id, credentials->secret_access_key, credentials->session_token);
}

static void
check_same(struct span text, const struct credentials *found)
{
	static struct credentials again;

	CHECK(credentials_parse(text, "main", &again));
	CHECK(strcmp(found->access_key_id, again.access_key_id) == 0);
	CHECK(strcmp(found->secret_access_key, again.secret_access_key) == 0);
	CHECK(strcmp(found->session_token, again.session_token) == 0);
}

/* As an editor of another system may leave it. */
static struct span
with_returns(struct span text, struct arena *arena)
{
	struct text out;

	text_init(&out, arena, 2 * text.length + 2);
	while (text.at != NULL) {
		struct span line = span_cut(&text, '\n');

		text_add_bytes(&out, line.at, line.length);
		if (line.length == 0 || line.at[line.length - 1] != '\r')
			text_add_char(&out, '\r');
		text_add_char(&out, '\n');
	}
	return text_span(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span file = span_range((const char *)bytes, size);
	static struct credentials found;
	struct arena *arena;
	struct text printed;

	if (!credentials_parse(file, "main", &found))
		return 0;
	CHECK(found.access_key_id[0] != '\0' && found.secret_access_key[0] != '\0');
	arena = arena_new();
	text_init(&printed, arena, sizeof(found) + 128);
	print(&found, &printed);
	CHECK(!printed.was_cut);
	check_same(text_span(&printed), &found);
	check_same(with_returns(file, arena), &found);
	arena_free(arena);
	return 0;
}
