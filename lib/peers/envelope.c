#include "peers/envelope.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* SHA-256, cut to 64 bits: it costs a millisecond for the largest value and a
 * microsecond for a row, little beside the network. */
static void
print_checksum(struct span value, char checksum[ENVELOPE_CHECKSUM_HEX + 1])
{
	unsigned char digest[SHA256_BYTES];

	sha256(value.at, value.length, digest);
	hex_print(digest, ENVELOPE_CHECKSUM_HEX / 2, checksum);
}

static void
print_line(const struct key *key, struct span value, char line[ENVELOPE_BYTES + 1])
{
	char checksum[ENVELOPE_CHECKSUM_HEX + 1];
	int length;

	print_checksum(value, checksum);
	length = snprintf(line, ENVELOPE_BYTES + 1, "vitrine 1 %s %0*zu %s\n", key->hex,
	    ENVELOPE_LENGTH_DIGITS, value.length, checksum);
	CHECK(length == ENVELOPE_BYTES);
}

struct span
envelope_wrap(const struct key *key, struct span value, struct arena *arena)
{
	char *wrapped;

	CHECK(value.length <= ENVELOPE_VALUE_MAX);
	wrapped = arena_alloc(arena, ENVELOPE_BYTES + value.length + 1);
	print_line(key, value, wrapped);
	if (value.length > 0)
		memcpy(wrapped + ENVELOPE_BYTES, value.at, value.length);
	return span_range(wrapped, ENVELOPE_BYTES + value.length);
}

bool
envelope_open(const struct key *key, struct span wrapped, struct span *value)
{
	char line[ENVELOPE_BYTES + 1];
	struct span inside;

	if (wrapped.length < ENVELOPE_BYTES || wrapped.length > ENVELOPE_BYTES + ENVELOPE_VALUE_MAX)
		return false;
	inside = span_range(wrapped.at + ENVELOPE_BYTES, wrapped.length - ENVELOPE_BYTES);
	print_line(key, inside, line);
	if (memcmp(wrapped.at, line, ENVELOPE_BYTES) != 0)
		return false;
	*value = inside;
	return true;
}
