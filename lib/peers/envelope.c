#include "peers/envelope.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

static const char first_words[] = "vitrine 2 ";

enum {
	SEAL_AT = sizeof(first_words) - 1,
	SEALED_AT = SEAL_AT + ENVELOPE_SEAL_HEX + 1
};

static void
print_line(const char *seal, const struct key *key, size_t length, char line[ENVELOPE_BYTES + 1])
{
	int printed = snprintf(line, ENVELOPE_BYTES + 1, "%s%s %s %0*zu\n", first_words, seal, key->hex,
	    ENVELOPE_LENGTH_DIGITS, length);

	CHECK(printed == ENVELOPE_BYTES);
}

/* Of a whole envelope, whatever stands in the place of its seal. */
static void
print_seal(struct span secret, struct span wrapped, char seal[ENVELOPE_SEAL_HEX + 1])
{
	struct span sealed = span_range(wrapped.at + SEALED_AT, wrapped.length - SEALED_AT);
	unsigned char digest[SHA256_BYTES];

	if (secret.length > 0)
		hmac_sha256(secret.at, secret.length, sealed.at, sealed.length, digest);
	else
		sha256(sealed.at, sealed.length, digest);
	hex_print(digest, ENVELOPE_SEAL_HEX / 2, seal);
}

struct span
envelope_wrap(const struct key *key, struct span secret, struct span value, struct arena *arena)
{
	static const char no_seal[] = "00000000000000000000000000000000";
	char seal[ENVELOPE_SEAL_HEX + 1];
	struct span wrapped;
	char *line;

	CHECK(value.length <= ENVELOPE_VALUE_MAX);
	line = arena_alloc(arena, ENVELOPE_BYTES + value.length + 1);
	wrapped = span_range(line, ENVELOPE_BYTES + value.length);
	print_line(no_seal, key, value.length, line);
	if (value.length > 0)
		memcpy(line + ENVELOPE_BYTES, value.at, value.length);
	print_seal(secret, wrapped, seal);
	memcpy(line + SEAL_AT, seal, ENVELOPE_SEAL_HEX);
	return wrapped;
}

bool
envelope_open(const struct key *key, struct span secret, struct span wrapped, struct span *value)
{
	char seal[ENVELOPE_SEAL_HEX + 1], line[ENVELOPE_BYTES + 1];
	struct span inside;

	if (wrapped.length < ENVELOPE_BYTES || wrapped.length > ENVELOPE_BYTES + ENVELOPE_VALUE_MAX)
		return false;
	inside = span_range(wrapped.at + ENVELOPE_BYTES, wrapped.length - ENVELOPE_BYTES);
	print_seal(secret, wrapped, seal);
	print_line(seal, key, inside.length, line);
	if (!digest_equals(wrapped.at, line, ENVELOPE_BYTES))
		return false;
	*value = inside;
	return true;
}
