#include "asset/slug.h"

#include "base/check.h"
#include "base/digest.h"

#include <stdio.h>
#include <string.h>

enum { DISTINCT_BYTES = 4, DISTINCT_LENGTH = 1 + 2 * DISTINCT_BYTES };

static bool
is_kept(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A dot that begins a file's name begins no extension. */
static struct span
without_extension(struct span key)
{
	for (size_t i = key.length; i > 1 && key.at[i - 1] != '/'; i--)
		if (key.at[i - 1] == '.' && key.at[i - 2] != '/')
			return span_range(key.at, i - 1);
	return key;
}

/* The id in at most max characters. */
static struct slug
slug_within(struct span key, size_t max)
{
	struct span name = without_extension(key);
	struct slug slug = { "" };
	bool gap = false;
	size_t length = 0;

	for (size_t i = 0; i < name.length; i++) {
		if (!is_kept(name.at[i])) {
			gap = true;
			continue;
		}
		gap = gap && length > 0;
		if (length + gap + 1 > max)
			break;
		if (gap)
			slug.id[length++] = '-';
		slug.id[length++] = name.at[i];
		gap = false;
	}
	if (length == 0)
		memcpy(slug.id, "asset", sizeof("asset"));
	return slug;
}

struct slug
slug_of_key(struct span key)
{
	return slug_within(key, ASSET_ID_MAX);
}

struct slug
slug_distinct(struct span origin, struct span key)
{
	struct slug slug = slug_within(key, ASSET_ID_MAX - DISTINCT_LENGTH);
	char name[ASSET_ORIGIN_MAX + 1 + ASSET_KEY_MAX], hex[2 * DISTINCT_BYTES + 1], *end;
	unsigned char digest[SHA256_BYTES];
	size_t length = strlen(slug.id);

	CHECK(origin.length <= ASSET_ORIGIN_MAX && key.length <= ASSET_KEY_MAX);
	end = mempcpy(name, origin.at, origin.length);
	*end++ = ':';
	end = mempcpy(end, key.at, key.length);
	sha256(name, (size_t)(end - name), digest);
	hex_print(digest, DISTINCT_BYTES, hex);
	snprintf(slug.id + length, sizeof(slug.id) - length, "-%s", hex);
	return slug;
}
