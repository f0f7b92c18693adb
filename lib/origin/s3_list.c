/* The part of s3.h that asks about the bucket: listing, page by page, and the probe. */
#include "base/check.h"
#include "origin/s3_call.h"
#include "origin/s3_listing.h"
#include "origin/s3_request.h"

#include <string.h>

struct walk {
	struct s3 *s3;
	const char *prefix;		/* the origin's and the caller's */
	char token[S3_TOKEN_MAX + 1];	/* where the next page begins; "" for the first */
	bool (*each)(void *state, const char *key, const struct origin_object *object);
	void *state;
};

static bool
fetch_page(struct walk *walk, const char *max_keys, unsigned tries, struct deadline deadline,
    struct arena *arena, struct http_response *response, struct failure *why)
{
	struct s3_call call = s3_call_for(walk->s3, HTTP_GET, span_of(""));
	struct text query;

	text_init(&query, arena, 3 * (S3_TOKEN_MAX + ASSET_KEY_MAX) + 256);
	if (walk->token[0] != '\0')
		s3_query_add(&query, "continuation-token", span_of(walk->token));
	s3_query_add(&query, "encoding-type", span_of("url"));
	s3_query_add(&query, "list-type", span_of("2"));
	s3_query_add(&query, "max-keys", span_of(max_keys));
	s3_query_add(&query, "prefix", span_of(walk->prefix));
	CHECK(!query.was_cut);
	call.query = query.at;
	call.max_bytes = S3_PAGE_MAX;
	call.tries = tries;
	return s3_call_run(walk->s3, &call, deadline, arena, response, why);
}

/* False: not one of ours, or the caller has seen enough. */
static bool
deliver(struct walk *walk, const struct s3_entry *entry, struct arena *arena, bool *goes_on,
    struct failure *why)
{
	struct origin_object object = { .bytes = entry->bytes, .modified = entry->modified };
	size_t skipped = strlen(s3_config(walk->s3)->prefix);
	struct span key = entry->key;

	if (!span_starts_with(key, walk->prefix))
		return fail(why, FAIL_UPSTREAM, "origin %s lists what was not asked for",
		    s3_config(walk->s3)->name);
	key = span_range(key.at + skipped, key.length - skipped);
	if (key.length == 0 || entry->key.length > ASSET_KEY_MAX || !span_is_utf8(key) ||
	    memchr(key.at, '\0', key.length) != NULL)
		return true;
	s3_etag_copy(entry->etag, object.etag);
	*goes_on = walk->each(walk->state, arena_copy_bytes(arena, key.at, key.length), &object);
	return true;
}

static bool
deliver_page(struct walk *walk, const struct s3_listing *listing, struct arena *arena, bool *goes_on,
    struct failure *why)
{
	for (size_t i = 0; i < listing->count && *goes_on; i++)
		if (!deliver(walk, &listing->entries[i], arena, goes_on, why))
			return false;
	if (!listing->is_truncated) {
		*goes_on = false;
		return true;
	}
	if (span_equals(listing->next_token, walk->token) ||
	    memchr(listing->next_token.at, '\0', listing->next_token.length) != NULL)
		return fail(why, FAIL_UPSTREAM, "listing of origin %s does not end", s3_config(walk->s3)->name);
	memcpy(walk->token, listing->next_token.at, listing->next_token.length);
	walk->token[listing->next_token.length] = '\0';
	return true;
}

bool
s3_list(struct s3 *s3, const char *prefix, struct deadline deadline,
    bool (*each)(void *state, const char *key, const struct origin_object *object), void *state,
    struct failure *why)
{
	struct arena *arena = arena_new(), *page = arena_new();
	struct walk walk = { .s3 = s3, .each = each, .state = state };
	bool goes_on = true, is_good = true;

	walk.prefix = arena_printf(arena, "%s%s", s3_config(s3)->prefix, prefix);
	if (strlen(walk.prefix) > ASSET_KEY_MAX)
		goes_on = false;	/* nothing can begin with it */
	while (goes_on && is_good) {
		struct http_response response;
		struct s3_listing listing;

		arena_reset(page);
		is_good =
		    fetch_page(&walk, "1000", s3_config(s3)->tries, deadline, page, &response, why) &&
		    s3_listing_parse(text_span(&response.body), page, &listing, why) &&
		    deliver_page(&walk, &listing, page, &goes_on, why);
	}
	arena_free(page);
	arena_free(arena);
	return is_good;
}

bool
s3_probe(struct s3 *s3, struct deadline deadline, struct failure *why)
{
	struct arena *arena = arena_new();
	struct walk walk = { .s3 = s3, .prefix = s3_config(s3)->prefix };
	struct http_response response;
	/* One try: who asks for our health wants to know it now. */
	bool is_good = fetch_page(&walk, "0", 1, deadline, arena, &response, why);

	arena_free(arena);
	return is_good;
}
