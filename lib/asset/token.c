#include "asset/token.h"

#include "asset/asset.h"
#include "base/check.h"
#include "base/digest.h"
#include "http/quote.h"
#include "http/url.h"
#include "recipe/operation.h"
#include "recipe/recipe.h"

#include <string.h>

enum {
	MAC_CHARACTERS = (TOKEN_MAC_BYTES * 8 + 5) / 6,
	/* "{key id}.{claims}/" and what is covered */
	SIGNED_TEXT_MAX = TOKEN_TEXT_MAX + 1 + URL_PATH_MAX
};

static const int64_t expiry_max = INT64_C(253402300799);	/* the end of the year 9999 */

/* ---- keys ------------------------------------------------------------------------ */

static bool
is_base64url_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '-';
}

static bool
key_id_is_valid(struct span id)
{
	if (id.length < 1 || id.length > TOKEN_KEY_ID_MAX)
		return false;
	for (size_t i = 0; i < id.length; i++)
		if (!is_base64url_digit(id.at[i]))
			return false;
	return true;
}

const struct token_key *
token_keys_find(const struct token_keys *keys, struct span id)
{
	for (unsigned i = 0; i < keys->count; i++)
		if (span_equals(id, keys->keys[i].id))
			return &keys->keys[i];
	return NULL;
}

bool
token_keys_add(struct token_keys *keys, const char *id, const char *secret, size_t secret_length,
    struct failure *why)
{
	struct quote quoted = quote_of(span_of(id));

	if (!key_id_is_valid(span_of(id)))
		return fail(why, FAIL_BAD_REQUEST, "key id '%s' must be 1 to %d of A-Z a-z 0-9 _ -",
		    quoted.text, TOKEN_KEY_ID_MAX);
	if (token_keys_find(keys, span_of(id)) != NULL)
		return fail(why, FAIL_BAD_REQUEST, "key '%s' is given twice", quoted.text);
	if (secret_length < TOKEN_SECRET_MIN)
		return fail(why, FAIL_BAD_REQUEST, "the secret of key '%s' has %zu bytes, at least %d",
		    quoted.text, secret_length, TOKEN_SECRET_MIN);
	if (keys->count == TOKEN_KEY_MAX)
		return fail(why, FAIL_BAD_REQUEST, "key '%s' is one too many, limit %d", quoted.text,
		    TOKEN_KEY_MAX);
	keys->keys[keys->count++] = (struct token_key){ id, secret, secret_length };
	return true;
}

/* ---- claims ---------------------------------------------------------------------- */

enum claim { CLAIM_EXPIRES, CLAIM_OPERATIONS, CLAIM_MAX_SIDE, CLAIM_FORMATS, CLAIM_COUNT };

static const char *const claim_names[CLAIM_COUNT] = {
	[CLAIM_EXPIRES] = "exp",
	[CLAIM_OPERATIONS] = "ops",
	[CLAIM_MAX_SIDE] = "max",
	[CLAIM_FORMATS] = "fmt",
};

struct claims {
	bool is_given[CLAIM_COUNT];
	struct permit permit;
};

static bool
claims_are_url_safe(struct span claims)
{
	for (size_t i = 0; i < claims.length; i++)
		if (!is_base64url_digit(claims.at[i]) && strchr("=,+", claims.at[i]) == NULL)
			return false;
	return true;
}

static bool
parse_operations(struct span names, struct permit *permit, struct failure *why)
{
	while (names.at != NULL) {
		struct span name = span_cut(&names, '+');
		int index = operation_find(name);

		if (span_equals(name, "original"))
			permit->may_read_original = true;
		else if (index != -1)
			permit->operations |= UINT64_C(1) << index;
		else
			return fail(why, FAIL_BAD_REQUEST, "the token's ops names '%s', which is no operation",
			    quote_of(name).text);
	}
	return true;
}

static bool
parse_formats(struct span names, struct permit *permit, struct failure *why)
{
	while (names.at != NULL) {
		struct span name = span_cut(&names, '+');
		enum media media = media_of_extension(name);

		if (!media_is_writable(media))
			return fail(why, FAIL_BAD_REQUEST, "the token's fmt names '%s', which is no format",
			    quote_of(name).text);
		permit->formats |= UINT32_C(1) << media;
	}
	return true;
}

static bool
parse_max_side(struct span value, struct permit *permit, struct failure *why)
{
	uint64_t pixels;

	if (!span_to_u64(value, 1, RECIPE_RESULT_SIDE_MAX, &pixels))
		return fail(why, FAIL_BAD_REQUEST, "the token's max must be 1..%d, not '%s'",
		    RECIPE_RESULT_SIDE_MAX, quote_of(value).text);
	permit->max_side = (unsigned)pixels;
	return true;
}

static bool
parse_claim(enum claim claim, struct span value, struct claims *claims, struct failure *why)
{
	switch (claim) {
	case CLAIM_OPERATIONS:
		return parse_operations(value, &claims->permit, why);
	case CLAIM_FORMATS:
		return parse_formats(value, &claims->permit, why);
	case CLAIM_MAX_SIDE:
		return parse_max_side(value, &claims->permit, why);
	default:
		if (!span_to_i64(value, 1, expiry_max, &claims->permit.expires))
			return fail(why, FAIL_BAD_REQUEST, "the token's exp must be a Unix time, not '%s'",
			    quote_of(value).text);
		return true;
	}
}

static enum claim
claim_find(struct span name)
{
	enum claim claim = CLAIM_EXPIRES;

	while (claim < CLAIM_COUNT && !span_equals(name, claim_names[claim]))
		claim++;
	return claim;
}

static bool
parse_claims(struct span text, struct claims *claims, struct failure *why)
{
	*claims = (struct claims){ .permit.is_signed = true };
	if (text.length == 0)
		text.at = NULL;		/* no claims at all, rather than one without a name */
	while (text.at != NULL) {
		struct span value = span_cut(&text, ','), name = span_cut(&value, '=');
		enum claim claim = claim_find(name);

		if (claim == CLAIM_COUNT)
			return fail(why, FAIL_BAD_REQUEST, "unknown claim '%s' in the token",
			    quote_of(name).text);
		if (claims->is_given[claim])
			return fail(why, FAIL_BAD_REQUEST, "%s is given twice in the token", claim_names[claim]);
		if (value.at == NULL)
			return fail(why, FAIL_BAD_REQUEST, "%s has no value in the token", claim_names[claim]);
		claims->is_given[claim] = true;
		if (!parse_claim(claim, value, claims, why))
			return false;
	}
	claims->permit.covers_exact_url = !claims->is_given[CLAIM_OPERATIONS];
	if (claims->permit.covers_exact_url &&
	    (claims->is_given[CLAIM_MAX_SIDE] || claims->is_given[CLAIM_FORMATS]))
		return fail(why, FAIL_BAD_REQUEST, "max and fmt mean nothing in a token without ops");
	return true;
}

bool
token_claims_have_ops(struct span claims)
{
	while (claims.at != NULL) {
		struct span value = span_cut(&claims, ',');

		if (span_equals(span_cut(&value, '='), claim_names[CLAIM_OPERATIONS]))
			return true;
	}
	return false;
}

bool
permit_allows_format(const struct permit *permit, enum media format)
{
	return permit->formats == 0 || (permit->formats & UINT32_C(1) << format) != 0;
}

/* ---- signature ------------------------------------------------------------------- */

/* The one place that says what the MAC covers; head is "{key id}.{claims}". */
static void
compute_mac(const struct token_key *key, struct span head, struct span covered,
    unsigned char mac[SHA256_BYTES])
{
	char text[SIGNED_TEXT_MAX];

	CHECK(head.length <= TOKEN_TEXT_MAX && covered.length <= URL_PATH_MAX);
	memcpy(text, head.at, head.length);
	text[head.length] = '/';
	memcpy(text + head.length + 1, covered.at, covered.length);
	hmac_sha256(key->secret, key->secret_length, text, head.length + 1 + covered.length, mac);
}

struct parts {
	struct span head;	/* "{key id}.{claims}" */
	struct span id, claims;
	unsigned char mac[TOKEN_MAC_BYTES];
};

static bool
split(struct span token, struct parts *parts)
{
	struct span rest = token;

	if (token.length > TOKEN_TEXT_MAX || token.length < MAC_CHARACTERS + 1)
		return false;
	parts->head = span_range(token.at, token.length - MAC_CHARACTERS - 1);
	parts->id = span_cut(&rest, '.');
	parts->claims = span_cut(&rest, '.');
	/* What is left is the MAC: the base64url alphabet has no dot, so it is the last part. */
	return key_id_is_valid(parts->id) && claims_are_url_safe(parts->claims) &&
	    base64url_parse(rest, parts->mac, sizeof(parts->mac));
}

/* An unknown key costs what a wrong signature costs, and is answered alike: who
 * guesses learns neither by the clock nor by the text which keys there are. */
static bool
signature_is_ours(const struct token_keys *keys, const struct parts *parts, struct span covered)
{
	static const struct token_key nobody = { "", "0123456789abcdef", 16 };
	const struct token_key *key = token_keys_find(keys, parts->id);
	unsigned char mac[SHA256_BYTES];
	bool is_equal;

	compute_mac(key != NULL ? key : &nobody, parts->head, covered, mac);
	is_equal = digest_equals(mac, parts->mac, sizeof(parts->mac));
	return is_equal && key != NULL;
}

bool
token_verify(const struct token_keys *keys, struct span token, struct span rest, struct span asset_id,
    int64_t now, struct permit *permit, struct failure *why)
{
	struct parts parts;
	struct claims claims;
	struct span covered;

	if (!split(token, &parts))
		return fail(why, FAIL_FORBIDDEN, "the token is malformed");
	covered = token_claims_have_ops(parts.claims) ? asset_id : rest;
	if (covered.length > URL_PATH_MAX)
		return fail(why, FAIL_BAD_REQUEST, "the path has %zu bytes, limit %d", covered.length,
		    URL_PATH_MAX);
	if (!signature_is_ours(keys, &parts, covered))
		return fail(why, FAIL_FORBIDDEN, "the signature is not ours");
	if (!parse_claims(parts.claims, &claims, why))
		return false;
	if (claims.permit.expires != 0 && now >= claims.permit.expires)
		return fail(why, FAIL_GONE, "the token has expired");
	*permit = claims.permit;
	return true;
}

bool
token_sign(const struct token_key *key, struct span claims, struct span covered, struct text *out,
    struct failure *why)
{
	unsigned char mac[SHA256_BYTES];
	struct claims parsed;
	struct text head;

	if (!claims_are_url_safe(claims))
		return fail(why, FAIL_BAD_REQUEST, "claims are written with A-Z a-z 0-9 + - _ = and commas");
	if (!parse_claims(claims, &parsed, why))
		return false;
	if (parsed.is_given[CLAIM_OPERATIONS] && !asset_id_is_valid(covered))
		return fail(why, FAIL_BAD_REQUEST, "a token with ops covers an asset id, not '%s'",
		    quote_of(covered).text);
	if (!parsed.is_given[CLAIM_OPERATIONS] && (!span_starts_with(covered, "/") ||
	    covered.length > URL_PATH_MAX))
		return fail(why, FAIL_BAD_REQUEST, "a token without ops covers a path of at most %d bytes",
		    URL_PATH_MAX);
	if (strlen(key->id) + 1 + claims.length + 1 + MAC_CHARACTERS > TOKEN_TEXT_MAX)
		return fail(why, FAIL_BAD_REQUEST, "the claims have %zu bytes, a token at most %d",
		    claims.length, TOKEN_TEXT_MAX);
	text_init(&head, out->arena, TOKEN_TEXT_MAX);
	text_printf(&head, "%s.%.*s", key->id, SPAN_ARGS(claims));
	compute_mac(key, text_span(&head), covered, mac);
	text_add(out, head.at);
	text_add_char(out, '.');
	base64url_print(mac, TOKEN_MAC_BYTES, out);
	return true;
}
