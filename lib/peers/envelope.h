/*
 * envelope - what a value wears while it lies with a peer.
 *
 * One line of fixed width before the value:
 *
 *	vitrine 1 KEY(32 hex) LENGTH(8 digits) CHECKSUM(16 hex) \n
 *
 * The line depends on nothing but the key and the value, so opening does not
 * parse it: it prints the line it should be and compares.  Another key's value,
 * a cut one, one of another format or another program's never opens.  It is no
 * seal against forgery: who can write to the ring can write valid envelopes.
 */
#ifndef PEERS_ENVELOPE_H
#define PEERS_ENVELOPE_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/text.h"

#include <stdbool.h>

enum {
	ENVELOPE_LENGTH_DIGITS = 8,
	ENVELOPE_VALUE_MAX = 99999999,	/* what those digits can say */
	ENVELOPE_CHECKSUM_HEX = 16,
	ENVELOPE_BYTES = 8 + 2 + KEY_HEX + 1 + ENVELOPE_LENGTH_DIGITS + 1 + ENVELOPE_CHECKSUM_HEX + 1
};

/* The line and the value, in the arena.  At most ENVELOPE_VALUE_MAX bytes. */
struct span envelope_wrap(const struct key *key, struct span value, struct arena *arena);

/* The value inside, as a view of wrapped. */
bool envelope_open(const struct key *key, struct span wrapped, struct span *value)
    __attribute__((warn_unused_result));

#endif
