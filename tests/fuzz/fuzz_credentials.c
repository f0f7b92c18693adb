/*
 * fuzz_credentials - a shared credentials file.  What is found can stand in headers,
 * and is found again in a file that has nothing else.
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

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct credentials found, again;
	struct arena *arena;
	struct text printed;

	if (!credentials_parse(span_range((const char *)bytes, size), "main", &found))
		return 0;
	CHECK(found.access_key_id[0] != '\0' && found.secret_access_key[0] != '\0');
	arena = arena_new();
	text_init(&printed, arena, sizeof(found) + 128);
	print(&found, &printed);
	CHECK(!printed.was_cut && credentials_parse(text_span(&printed), "main", &again));
	CHECK(strcmp(found.access_key_id, again.access_key_id) == 0);
	CHECK(strcmp(found.secret_access_key, again.secret_access_key) == 0);
	CHECK(strcmp(found.session_token, again.session_token) == 0);
	arena_free(arena);
	return 0;
}
