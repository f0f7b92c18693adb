/*
 * token - what a signed URL permits.
 *
 *	/s/{key id}.{claims}.{mac}/{asset}/{recipe}/{name}.{format}
 *
 * The MAC is HMAC-SHA-256 with the named key, cut to 128 bits, base64url.  It
 * covers "{key id}.{claims}/" followed by
 *   - the exact raw rest of the path after the token, when there is no ops
 *     claim: the token is good for one URL;
 *   - the asset id alone, when there is one: the recipe may use these
 *     operations with any values, up to max pixels for each side of the result.
 * The two cannot be confused, because the claims are covered too.
 *
 * Claims are comma-separated name=value pairs, each at most once:
 *	exp=1767225600	Unix time; from then on the answer is 410
 *	ops=w+h+dpr	operations that may be used freely ("original" is one)
 *	max=1600	with ops: pixels, the longest side of the result
 *	fmt=jpg+webp	with ops: formats; all when absent
 * They are written with A-Z a-z 0-9 + - _ = and the comma, which mean themselves
 * in a path, and never with the dot that separates the parts of a token.
 *
 * Keys: several may be valid at once, so that they can be rotated.
 */
#ifndef ASSET_TOKEN_H
#define ASSET_TOKEN_H

#include "base/failure.h"
#include "base/text.h"
#include "http/media.h"

#include <stdint.h>

enum {
	TOKEN_MAC_BYTES = 16,
	TOKEN_KEY_MAX = 8,	/* keys valid at the same time */
	TOKEN_KEY_ID_MAX = 16,	/* [A-Za-z0-9_-] */
	TOKEN_SECRET_MIN = 16,	/* bytes: less can be guessed */
	TOKEN_TEXT_MAX = 512
};

struct token_key {
	const char *id;
	const char *secret;
	size_t secret_length;
};

struct token_keys {
	struct token_key keys[TOKEN_KEY_MAX];
	unsigned count;
};

/* Adds a key.  FAIL_BAD_REQUEST, never with the secret in the detail, when the
 * id is malformed or taken, the secret shorter than TOKEN_SECRET_MIN, or the set
 * full.  The strings must outlive it. */
bool token_keys_add(struct token_keys *keys, const char *id, const char *secret,
    size_t secret_length, struct failure *why) __attribute__((warn_unused_result));

/* NULL when there is none of that id. */
const struct token_key *token_keys_find(const struct token_keys *keys, struct span id);

/* What a request may do.  Without a token: is_signed false, the rest unset. */
struct permit {
	bool is_signed;
	bool covers_exact_url;
	uint64_t operations;	/* with ops: bit mask over the operations table */
	bool may_read_original;	/* with ops: "original" was among them */
	unsigned max_side;	/* pixels; 0: no limit but the general ones */
	uint32_t formats;	/* bit 1 << enum media; 0: all */
	int64_t expires;	/* Unix seconds; 0: never */
};

/* Verifies first, on decoded bytes in constant time, and parses the claims
 * afterwards.  `rest` is the raw path after the token, from its "/" on; `now`
 * is Unix time.  FAIL_FORBIDDEN for a bad or unknown signature, FAIL_GONE past
 * exp, FAIL_BAD_REQUEST for signed claims that make no sense. */
bool token_verify(const struct token_keys *keys, struct span token, struct span rest,
    struct span asset_id, int64_t now, struct permit *permit, struct failure *why)
    __attribute__((warn_unused_result));

/* Whether the permit lets the result have this format: "auto" must be chosen
 * among these. */
bool permit_allows_format(const struct permit *permit, enum media format);

/* Adds "{key id}.{claims}.{mac}" for the key.  With an ops claim `covered` is
 * the asset id, otherwise the raw rest of the path, from its "/" on.
 * FAIL_BAD_REQUEST for claims that token_verify() would not understand, and for
 * what is longer than it would read. */
bool token_sign(const struct token_key *key, struct span claims, struct span covered,
    struct text *out, struct failure *why) __attribute__((warn_unused_result));

/* Whether the claims have an ops claim, and so which of the two to cover. */
bool token_claims_have_ops(struct span claims);

#endif
