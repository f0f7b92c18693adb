/*
 * envelope - what a value wears while it lies with a peer.
 *
 * One line of fixed width before the value:
 *
 *	vitrine 2 SEAL(32 hex) KEY(32 hex) LENGTH(8 digits) \n
 *
 * The seal is made of everything that stands after it, up to the value's end: with a secret
 * its HMAC-SHA-256 (RFC 2104, cut to 128 bits as its section 5 allows), so that who can write to the ring but
 * does not know the secret cannot make one; without, its SHA-256, which only finds damage.
 * What the seal cannot tell is that a value was sealed earlier, under the same
 * key, and put back by somebody.
 *
 * The line depends on nothing but the secret, the key and the value, so opening does not
 * parse it: it prints the line it should be and compares.  Another key's value,
 * a cut one, one of another format, secret or program never opens.
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
	ENVELOPE_SEAL_HEX = 32,
	ENVELOPE_BYTES = 8 + 2 + ENVELOPE_SEAL_HEX + 1 + KEY_HEX + 1 + ENVELOPE_LENGTH_DIGITS + 1
};

/* The line and the value, in the arena.  At most ENVELOPE_VALUE_MAX bytes.  An empty
 * secret is none. */
struct span envelope_wrap(const struct key *key, struct span secret, struct span value, struct arena *arena);

/* The value inside, as a view of wrapped.  Takes the same time wherever a seal is wrong. */
bool envelope_open(const struct key *key, struct span secret, struct span wrapped, struct span *value)
    __attribute__((warn_unused_result));

#endif
