/*
 * serve_asset.c - the way of one request, from left to right:
 *
 *	token -> recipe -> catalog -> hints -> policy -> negotiate -> dressing
 *	      -> variant -> geometry -> conditional -> store -> (slow path) -> respond
 *
 * A format that takes long and is not there is left for later: from the variant on, the
 * next best one goes the same way.
 *
 * No step calls back into an earlier one.  URL text exists only up to
 * recipe_parse(); from there on the recipe is a value, and its canonical text
 * is what is hashed, logged and sent to the renderer.
 */
#include "fcgi-app/serve_asset.h"

#include "asset/policy.h"
#include "asset/token.h"
#include "fcgi-app/find_asset.h"
#include "fcgi-app/freshness.h"
#include "fcgi-app/negotiate.h"
#include "fcgi-app/slow_path.h"
#include "fcgi-app/wish.h"
#include "http/url.h"
#include "recipe/geometry.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET_TAKES_BYTES = 128 * 1024 };

/* recipe: from text to value */
static bool
parse_recipe(struct server *server, struct wish *wish, struct failure *why)
{
	const struct route *route = wish->route;

	if (!recipe_parse(route->recipe, &server->settings->presets, &wish->recipe, why))
		return false;
	if (wish->recipe.is_original || route->is_auto)
		return true;
	if (!media_is_writable(route->format))
		return fail(why, FAIL_BAD_REQUEST, "the name must end in .jpg .png .webp .avif .gif .jxl or .auto");
	return recipe_suits_format(&wish->recipe, route->format, why);
}

/* policy: may this request have it, with what the hints made of it? */
static bool
check_policy(struct server *server, struct request *request, struct wish *wish, struct failure *why)
{
	negotiate_hints(server->settings, request, wish);
	return policy_allows(&server->settings->policy, &wish->asset, &wish->permit, &wish->recipe,
	    wish->route->format, wish->now, why);
}

/* The asset whose original is the watermark's picture.  Without it there is no
 * picture at all: a mark that is imposed must not be missing because it was lost. */
static bool
find_mark(struct server *server, struct request *request, struct wish *wish, struct failure *why)
{
	const struct watermark *watermark = wish->dressing.watermark;
	struct failure because = { 0 };

	if (watermark->file[0] != '\0') {
		wish->mark_key = watermark->key;
		return true;
	}
	if (!find_asset(server, request, span_of(watermark->asset), &wish->mark, &because))
		return fail(why, because.kind == FAIL_NOT_FOUND ? FAIL_INTERNAL : because.kind,
		    "watermark '%s': %.180s", watermark->name, because.detail);
	if (!asset_is_alive(&wish->mark, wish->now, &because))
		return fail(why, FAIL_INTERNAL, "watermark '%s': %.180s", watermark->name, because.detail);
	wish->mark_key = variant_original_key(request->arena, &wish->mark);
	return true;
}

/* dressing: what is laid over it */
static bool
dress(struct server *server, struct request *request, struct wish *wish, struct failure *why)
{
	return dressing_choose(&server->settings->dressing, &wish->asset, &wish->recipe, &wish->dressing, why) &&
	    (wish->dressing.watermark == NULL || find_mark(server, request, wish, why));
}

/* variant: the identity of the result */
static void
identify(struct request *request, struct wish *wish)
{
	const struct asset *asset = &wish->asset;
	const struct variant_parts parts = {
		.asset = asset,
		.recipe = &wish->recipe,
		.overlays = &wish->dressing.overlays,
		.mark = &wish->mark_key,
		.format = wish->format,
	};

	recipe_resolve_focus(&wish->recipe, asset->has_focus, asset->focus_x, asset->focus_y);
	variant_init(&wish->variant, request->arena, &parts);
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

/* The file's name when it is saved, without the extension. */
static struct span
file_name(const struct wish *wish)
{
	if (wish->recipe.download[0] != '\0')
		return span_of(wish->recipe.download);
	return wish->route->name.length > 0 ? wish->route->name : wish->route->asset;
}

/* RFC 6266: the plain form for everybody, the encoded one for other scripts. */
static const char *
content_disposition(struct arena *arena, const struct wish *wish, enum media media)
{
	const char *kind = wish->recipe.download[0] != '\0' ? "attachment" : "inline";
	struct span name = file_name(wish);
	bool is_plain = true;
	struct text encoded;

	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.at[i] < 0x20 || (unsigned char)name.at[i] >= 0x7f || name.at[i] == '"' ||
		    name.at[i] == '\\' || name.at[i] == '%')
			is_plain = false;
	if (is_plain)
		return arena_printf(arena, "%s; filename=\"%.*s.%s\"", kind, SPAN_ARGS(name), media_extension(media));
	text_init(&encoded, arena, 3 * URL_PATH_MAX);
	url_encode(name, "", &encoded);
	return arena_printf(arena, "%s; filename=\"%.*s.%s\"; filename*=UTF-8''%s.%s", kind,
	    SPAN_ARGS(wish->route->asset), media_extension(media), encoded.at, media_extension(media));
}

static struct freshness
freshness_of(const struct server *server, const struct wish *wish)
{
	const struct http_settings *http = &server->settings->http;
	uint64_t age_s = freshness_age_s(http, &wish->permit, &wish->asset, wish->now);

	return (struct freshness){
		.etag = wish->variant.etag,
		.max_age_s = wish->is_interim && age_s > http->interim_max_age_s ? http->interim_max_age_s : age_s,
	};
}

static void
add_headers(struct server *server, struct request *request, const struct wish *wish, enum media media,
    struct response *response)
{
	const struct http_settings *http = &server->settings->http;
	struct freshness freshness = freshness_of(server, wish);

	freshness_add_headers(&freshness, http, request, response);
	if (http->uses_client_hints && wish->route->is_auto)
		response_add_header(response, "Accept-CH", "Sec-CH-Width, Sec-CH-DPR, Width, DPR");
	response_add_header(response, "Content-Type", media_type(media));
	response_add_header(response, "X-Content-Type-Options", "nosniff");
	response_add_header(response, "Content-Disposition", content_disposition(request->arena, wish, media));
	/* An SVG is a document: it must not run anything on our site. */
	if (media == MEDIA_SVG)
		response_add_header(response, "Content-Security-Policy",
		    "default-src 'none'; style-src 'unsafe-inline'; sandbox");
}

/* store: a hit is answered here */
static bool
find_in_store(struct server *server, struct request *request, const struct wish *wish, struct store_file *file)
{
	enum store_part part = wish->recipe.is_original ? STORE_ORIGINALS : STORE_VARIANTS;
	const struct key *key = &wish->variant.key;
	int64_t from_us = monotonic_us();
	bool was_found = store_find_unopened(server->store, part, key, file) && file->media != MEDIA_NONE &&
	    !response_carries_file(request, &server->settings->http, file);

	/* It may have to be read, or sent by us, or made. */
	if (!was_found) {
		duty_hand_over(server->duty);
		was_found = store_find(server->store, part, key, file);
	}
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
	if (file->fd != -1)
		arena_defer_close(request->arena, file->fd);
	add_headers(server, request, wish, file->media, response);
	response_file(response, request, &server->settings->http, &server->settings->store, file);
	return may_be_sent(server, request, response, why);
}

/* HEAD of what has not been made: everything but the length. */
static void
respond_from_row(struct server *server, struct request *request, const struct wish *wish,
    struct response *response)
{
	response->status = 200;
	add_headers(server, request, wish, wish->variant.format, response);
	if (wish->recipe.is_original && wish->asset.etag[0] != '\0')
		response_add_header(response, "Content-Length",
		    arena_printf(request->arena, "%" PRIu64, wish->asset.bytes));
	request->tier = TIER_CONDITIONAL;
}

enum at_hand { AT_HAND_NOTHING, AT_HAND_ANSWER, AT_HAND_FILE };

/* conditional and store */
static enum at_hand
look_at_hand(struct server *server, struct request *request, const struct wish *wish, struct response *response,
    struct store_file *file)
{
	struct freshness freshness = freshness_of(server, wish);

	if (freshness_answer(&freshness, &server->settings->http, request, response))
		return AT_HAND_ANSWER;
	return find_in_store(server, request, wish, file) ? AT_HAND_FILE : AT_HAND_NOTHING;
}

/* Nobody waits for a format that takes long, as long as another will do: it is made when
 * this request has been answered.  NULL when none will do. */
static struct wish *
choose_quicker(struct server *server, struct request *request, const struct wish *wish)
{
	struct wish *quicker;

	if (server->settings->render.ahead == 0)
		return NULL;
	quicker = arena_alloc(request->arena, sizeof(*quicker));
	if (!negotiate_quicker(&server->settings->http, request, wish, quicker))
		return NULL;
	identify(request, quicker);
	if (!request->is_head) {
		request->leaves_work = true;
		request->later = wish;
	}
	return quicker;
}

/* The wish becomes the quicker one where that is what will be answered. */
static enum at_hand
look_at_hand_quicker(struct server *server, struct request *request, struct wish **wish, struct response *response,
    struct store_file *file)
{
	enum at_hand at_hand = look_at_hand(server, request, *wish, response, file);
	struct wish *quicker = at_hand == AT_HAND_NOTHING ? choose_quicker(server, request, *wish) : NULL;

	if (quicker == NULL)
		return at_hand;
	*wish = quicker;
	return look_at_hand(server, request, quicker, response, file);
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

	if (!server_check_token(server, route, wish->now, &wish->permit, why) ||
	    !parse_recipe(server, wish, why) ||
	    !find_asset(server, request, route->asset, &wish->asset, why) ||
	    !check_policy(server, request, wish, why) ||
	    !negotiate_format(&server->settings->http, request, wish, why) ||
	    !dress(server, request, wish, why))
		return false;
	identify(request, wish);
	if (!check_geometry(wish, why))
		return false;
	switch (look_at_hand_quicker(server, request, &wish, response, &file)) {
	case AT_HAND_ANSWER:
		return true;
	case AT_HAND_NOTHING:
		if (request->is_head) {
			respond_from_row(server, request, wish, response);
			return true;
		}
		if (!slow_path_obtain(server, request, wish, &file, why))
			return false;
		break;
	case AT_HAND_FILE:
		break;
	}
	return respond_with_file(server, request, wish, &file, response, why);
}
