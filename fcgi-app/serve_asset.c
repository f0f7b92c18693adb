/*
 * serve_asset.c - the way of one request, from left to right:
 *
 *	token -> recipe -> catalog -> policy -> negotiate -> variant -> geometry
 *	      -> conditional -> store -> (slow path) -> respond
 *
 * No step calls back into an earlier one.  URL text exists only up to
 * recipe_parse(); from there on the recipe is a value, and its canonical text
 * is what is hashed, logged and sent to the renderer.
 */
#include "fcgi-app/serve_asset.h"

#include "asset/policy.h"
#include "asset/token.h"
#include "asset/variant.h"
#include "base/check.h"
#include "fcgi-app/slow_path.h"
#include "http/accept.h"
#include "http/conditional.h"
#include "http/url.h"
#include "recipe/geometry.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET_TAKES_BYTES = 128 * 1024 };

/* What is known of the request for a picture once it has been read. */
struct wish {
	const struct route *route;
	struct permit permit;
	struct recipe recipe;
	struct asset asset;
	enum media format;
	struct variant variant;
	int64_t now;		/* Unix seconds */
};

/* token: what the signature permits */
static bool
check_token(struct server *server, struct wish *wish, struct failure *why)
{
	if (!wish->route->has_token)
		return true;
	return token_verify(&server->settings->keys, wish->route->token, wish->route->covered, wish->route->asset,
	    wish->now, &wish->permit, why);
}

/* recipe: from text to value */
static bool
parse_recipe(struct server *server, struct wish *wish, struct failure *why)
{
	const struct route *route = wish->route;

	if (!recipe_parse(route->recipe, &server->settings->presets, &wish->recipe, why))
		return false;
	if (wish->recipe.is_original || route->is_auto || media_is_writable(route->format))
		return true;
	return fail(why, FAIL_BAD_REQUEST, "the name must end in .jpg .png .webp .avif .gif .jxl or .auto");
}

/* catalog: what is known of the asset */
static bool
find_asset(struct server *server, struct request *request, struct wish *wish, struct failure *why)
{
	int64_t from_us = monotonic_us();
	enum catalog_tier tier;
	bool was_found = catalog_find(server->catalog, wish->route->asset, request->deadline, &wish->asset, &tier, why);

	request_note_step(request, STEP_CATALOG, &from_us);
	if (!was_found)
		return false;
	metrics_count(&server->metrics->catalog_answers[tier], 1);
	request->catalog_tier = catalog_tier_name(tier);
	return true;
}

/* policy: may this request have it? */
static bool
check_policy(struct server *server, const struct wish *wish, struct failure *why)
{
	return policy_allows(&server->settings->policy, &wish->asset, &wish->permit, &wish->recipe,
	    wish->route->format, wish->now, why);
}

/* negotiate: the best format the client names, or the plain one that everybody
 * takes; always one that the token permits */
static bool
negotiate(struct server *server, struct request *request, struct wish *wish, struct failure *why)
{
	const struct http_settings *http = &server->settings->http;
	enum media plain = wish->asset.has_alpha ? MEDIA_PNG : MEDIA_JPEG;
	unsigned plain_weight = accept_weight(request->accept, plain), best_weight = 0;

	if (wish->recipe.is_original || !wish->route->is_auto) {
		wish->format = wish->recipe.is_original ? wish->asset.media : wish->route->format;
		return true;
	}
	request->varies_by_accept = true;
	wish->format = plain;
	for (unsigned i = 0; i < http->auto_format_count; i++) {
		enum media media = http->auto_formats[i];
		unsigned weight = accept_weight_named(request->accept, media);

		if (weight > best_weight && weight >= plain_weight && permit_allows_format(&wish->permit, media)) {
			wish->format = media;
			best_weight = weight;
		}
	}
	return permit_allows_format(&wish->permit, wish->format) ||
	    fail(why, FAIL_FORBIDDEN, "the token does not permit %s", media_extension(wish->format));
}

/* variant: the identity of the result */
static void
identify(struct request *request, struct wish *wish)
{
	const struct asset *asset = &wish->asset;

	recipe_resolve_focus(&wish->recipe, asset->has_focus, asset->focus_x, asset->focus_y);
	variant_init(&wish->variant, request->arena, asset, &wish->recipe, wish->format);
	request->recipe = wish->variant.recipe;
	request->format = media_extension(wish->variant.format);
	request->variant = wish->variant.key.hex;
}

/* geometry: what cannot be made of this asset is refused before any work, and
 * HEAD says the same as GET.  A row whose etag was forgotten by a purge may
 * describe an object that has been replaced; then the renderer decides. */
static bool
check_geometry(const struct wish *wish, struct failure *why)
{
	const struct asset *asset = &wish->asset;
	struct geometry_source source;
	struct geometry geometry;

	if (wish->recipe.is_original || asset->etag[0] == '\0' || asset->width == 0 || asset->height == 0 ||
	    recipe_size_needs_pixels(&wish->recipe))
		return true;
	asset_geometry_source(asset, &wish->recipe, &source);
	return geometry_plan(&wish->recipe, &source, &geometry, why);
}

/* How long others may keep this, never past the end of the token or the asset. */
static uint64_t
max_age_s(const struct http_settings *http, const struct wish *wish)
{
	int64_t age = http->max_age_s;

	if (wish->permit.expires > 0 && wish->permit.expires - wish->now < age)
		age = wish->permit.expires - wish->now;
	if (wish->asset.expires > 0 && wish->asset.expires - wish->now < age)
		age = wish->asset.expires - wish->now;
	return age > 0 ? (uint64_t)age : 0;
}

/* RFC 6266: the plain form for everybody, the encoded one for other scripts. */
static const char *
content_disposition(struct arena *arena, const struct wish *wish, enum media media)
{
	struct span name = wish->route->name.length > 0 ? wish->route->name : wish->route->asset;
	bool is_plain = true;
	struct text encoded;

	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.at[i] < 0x20 || (unsigned char)name.at[i] >= 0x7f || name.at[i] == '"' ||
		    name.at[i] == '\\' || name.at[i] == '%')
			is_plain = false;
	if (is_plain)
		return arena_printf(arena, "inline; filename=\"%.*s.%s\"", SPAN_ARGS(name), media_extension(media));
	text_init(&encoded, arena, 3 * URL_PATH_MAX);
	url_encode(name, "", &encoded);
	return arena_printf(arena, "inline; filename=\"%.*s.%s\"; filename*=UTF-8''%s.%s",
	    SPAN_ARGS(wish->route->asset), media_extension(media), encoded.at, media_extension(media));
}

/* What 200, 304 and HEAD have in common. */
static void
add_common_headers(struct server *server, struct request *request, const struct wish *wish,
    struct response *response)
{
	const struct http_settings *http = &server->settings->http;

	response_add_header(response, "ETag", wish->variant.etag);
	response_add_header(response, "Cache-Control",
	    arena_printf(request->arena, "public, max-age=%" PRIu64, max_age_s(http, wish)));
	if (request->varies_by_accept)
		response_add_header(response, "Vary", "Accept");
	if (http->allow_origin[0] != '\0')
		response_add_header(response, "Access-Control-Allow-Origin", http->allow_origin);
}

static void
add_picture_headers(struct request *request, const struct wish *wish, enum media media, struct response *response)
{
	response_add_header(response, "Content-Type", media_type(media));
	response_add_header(response, "X-Content-Type-Options", "nosniff");
	response_add_header(response, "Content-Disposition", content_disposition(request->arena, wish, media));
	/* An SVG is a document: it must not run anything on our site. */
	if (media == MEDIA_SVG)
		response_add_header(response, "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; sandbox");
}

/* conditional: the client's copy may still be good (RFC 9110 section 13.2.2) */
static bool
answer_condition(struct server *server, struct request *request, const struct wish *wish,
    struct response *response)
{
	if (request->if_match.at != NULL && !conditional_match_hits(request->if_match, wish->variant.etag)) {
		response_text(response, request->arena, 412, "text/plain", span_of("the picture has changed\n"));
		response_add_header(response, "Cache-Control", "no-store");
		return true;
	}
	if (request->if_none_match.at == NULL ||
	    !conditional_none_match_hits(request->if_none_match, wish->variant.etag))
		return false;
	response->status = 304;
	add_common_headers(server, request, wish, response);
	request->tier = TIER_CONDITIONAL;
	return true;
}

/* store: a hit is answered here */
static bool
find_in_store(struct server *server, struct request *request, const struct wish *wish, struct store_file *file)
{
	enum store_part part = wish->recipe.is_original ? STORE_ORIGINALS : STORE_VARIANTS;
	int64_t from_us = monotonic_us();
	bool was_found = store_find(server->store, part, &wish->variant.key, file);

	request_note_step(request, STEP_STORE, &from_us);
	/* An original that is no image: the slow path says so. */
	if (was_found && file->media == MEDIA_NONE) {
		close(file->fd);
		return false;
	}
	if (was_found)
		request->tier = TIER_STORE;
	return was_found;
}

static void
give_place_back(void *object)
{
	store_unlock(object);
}

/* Through FastCGI a slow client holds the responder that sends to it, as soon
 * as the file is larger than what the socket takes in at once. */
static bool
may_be_sent(struct server *server, struct request *request, const struct response *response, struct failure *why)
{
	struct store_lock *place;

	if (response->file_fd == -1 || request->is_head || response->file_bytes <= SOCKET_TAKES_BYTES)
		return true;
	place = arena_alloc(request->arena, sizeof(*place));
	if (!store_take_place(server->store, LANE_SEND, server->settings->server.slow_responders, place))
		return fail(why, FAIL_BUSY, "too many large files are being sent to slow clients");
	arena_defer(request->arena, give_place_back, place);
	return true;
}

static bool
respond_with_file(struct server *server, struct request *request, const struct wish *wish,
    const struct store_file *file, struct response *response, struct failure *why)
{
	arena_defer_close(request->arena, file->fd);
	add_common_headers(server, request, wish, response);
	add_picture_headers(request, wish, file->media, response);
	response_file(response, request, &server->settings->http, &server->settings->store, file);
	return may_be_sent(server, request, response, why);
}

/* HEAD of what has not been made: everything but the length. */
static void
respond_from_row(struct server *server, struct request *request, const struct wish *wish,
    struct response *response)
{
	response->status = 200;
	add_common_headers(server, request, wish, response);
	add_picture_headers(request, wish, wish->variant.format, response);
	if (wish->recipe.is_original && wish->asset.etag[0] != '\0')
		response_add_header(response, "Content-Length",
		    arena_printf(request->arena, "%" PRIu64, wish->asset.bytes));
	request->tier = TIER_CONDITIONAL;
}

bool
serve_asset(struct server *server, struct request *request, const struct route *route,
    struct response *response, struct failure *why)
{
	struct wish *wish = arena_alloc(request->arena, sizeof(*wish));
	struct store_file file;

	wish->route = route;
	wish->now = time(NULL);
	request->asset = arena_copy_bytes(request->arena, route->asset.at, route->asset.length);

	if (!check_token(server, wish, why) ||
	    !parse_recipe(server, wish, why) ||
	    !find_asset(server, request, wish, why) ||
	    !check_policy(server, wish, why) ||
	    !negotiate(server, request, wish, why))
		return false;
	identify(request, wish);
	if (!check_geometry(wish, why))
		return false;
	if (answer_condition(server, request, wish, response))
		return true;
	if (!find_in_store(server, request, wish, &file)) {
		if (request->is_head) {
			respond_from_row(server, request, wish, response);
			return true;
		}
		if (!slow_path_obtain(server, request, &wish->asset, &wish->recipe, &wish->variant, &file, why))
			return false;
	}
	return respond_with_file(server, request, wish, &file, response, why);
}
