#include "fcgi-app/serve_info.h"

#include "asset/policy.h"
#include "base/check.h"
#include "base/digest.h"
#include "fcgi-app/find_asset.h"
#include "fcgi-app/freshness.h"
#include "recipe/geometry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is known of the request for an asset's facts once it has been read. */
struct question {
	const struct settings *settings;
	const struct route *route;
	struct arena *arena;
	int64_t now;		/* Unix seconds */
	struct permit permit;
	struct asset asset;
};

/* ---- values ---------------------------------------------------------------------------- */

/* Takes the value over. */
static void
add(json_t *object, const char *name, json_t *value)
{
	CHECK(value != NULL && json_object_set_new(object, name, value) == 0);
}

static void
append(json_t *array, json_t *value)
{
	CHECK(value != NULL && json_array_append_new(array, value) == 0);
}

/* A row that somebody else wrote may hold anything. */
static json_t *
text_or_null(const char *text)
{
	json_t *value = text[0] != '\0' ? json_string(text) : NULL;

	return value != NULL ? value : json_null();
}

static json_t *
number_or_null(uint64_t number)
{
	return number != 0 ? json_integer((json_int_t)number) : json_null();
}

static json_t *
colour_or_null(struct span hex)
{
	json_t *value = hex.length > 0 && span_is_utf8(hex) ? json_sprintf("#%.*s", SPAN_ARGS(hex)) : NULL;

	return value != NULL ? value : json_null();
}

/* ---- facts ----------------------------------------------------------------------------- */

static void
add_colours(const struct asset *asset, json_t *info)
{
	struct span palette = span_of(asset->colours), dominant = span_cut(&palette, ',');
	json_t *colours = palette.at != NULL ? json_array() : json_null();

	add(info, "dominant", colour_or_null(dominant));
	while (palette.at != NULL)
		append(colours, colour_or_null(span_cut(&palette, ',')));
	add(info, "palette", colours);
}

static json_t *
focus_of(const struct asset *asset)
{
	json_t *focus = asset->has_focus ? json_object() : json_null();

	if (asset->has_focus) {
		add(focus, "x", json_real(asset->focus_x));
		add(focus, "y", json_real(asset->focus_y));
	}
	return focus;
}

static void
add_facts(const struct asset *asset, json_t *info)
{
	unsigned width, height;

	asset_upright_size(asset, &width, &height);
	add(info, "id", json_string(asset->id));
	add(info, "version", json_integer((json_int_t)asset->version));
	add(info, "width", number_or_null(width));
	add(info, "height", number_or_null(height));
	add(info, "type", asset->media != MEDIA_NONE ? json_string(media_type(asset->media)) : json_null());
	/* HEAD of the original says no length either when a purge has put the object in doubt. */
	add(info, "bytes", number_or_null(asset->etag[0] != '\0' ? asset->bytes : 0));
	add(info, "frames", number_or_null(asset->frames));
	add(info, "animated", json_boolean(asset_is_animated(asset)));
	add(info, "orientation", json_integer(asset->orientation));
	add(info, "alpha", json_boolean(asset->has_alpha));
	add_colours(asset, info);
	add(info, "blurhash", text_or_null(asset->blurhash));
	add(info, "thumbhash", text_or_null(asset->thumbhash));
	add(info, "placeholder", text_or_null(asset->placeholder));
	add(info, "focus", focus_of(asset));
	add(info, "credit", text_or_null(asset->credit));
}

/* ---- formats and variants -------------------------------------------------------------- */

static json_t *
formats_of(const struct permit *permit)
{
	json_t *formats = json_array();

	for (enum media media = MEDIA_JPEG; media < MEDIA_COUNT; media++)
		if (media_is_writable(media) && permit_allows_format(permit, media))
			append(formats, json_string(media_extension(media)));
	return formats;
}

/* False when the row or the recipe leaves the size open. */
static bool
size_of(const struct asset *asset, const struct recipe *recipe, struct geometry *geometry)
{
	struct recipe resolved = *recipe;
	struct geometry_source source;
	struct failure why = { 0 };

	if (asset->width == 0 || asset->height == 0 || recipe_size_needs_pixels(recipe))
		return false;
	recipe_resolve_focus(&resolved, asset->has_focus, asset->focus_x, asset->focus_y);
	asset_geometry_source(asset, &resolved, &source);
	return geometry_plan(&resolved, &source, geometry, &why);
}

/* A token that is good for many URLs is good for these. */
static json_t *
url_of(const struct question *question, unsigned width)
{
	const char *prefix = question->settings->server.url_prefix, *id = question->asset.id;
	const struct permit *permit = &question->permit;

	if (permit->is_signed && !permit->covers_exact_url)
		return json_sprintf("%s/s/%.*s/%s/w=%u/%s.auto", prefix, SPAN_ARGS(question->route->token), id,
		    width, id);
	return json_sprintf("%s/a/%s/w=%u/%s.auto", prefix, id, width, id);
}

/* The ladder's rungs that may be asked for, until one gives no more than the last one did. */
static json_t *
variants_of(const struct question *question)
{
	const struct policy_config *policy = &question->settings->policy;
	const struct permit nothing = { 0 };
	const struct permit *permit = question->permit.covers_exact_url ? &nothing : &question->permit;
	json_t *variants = json_array();
	unsigned widest = 0;

	for (unsigned i = 0; i < policy->ladder_count; i++) {
		const char *text = arena_printf(question->arena, "w=%u", policy->ladder[i]);
		struct geometry geometry = { 0 };
		struct failure why = { 0 };
		struct recipe recipe;
		json_t *variant;

		if (!recipe_parse(span_of(text), &question->settings->presets, &recipe, &why) ||
		    !policy_allows(policy, &question->asset, permit, &recipe, MEDIA_NONE, question->now, &why))
			continue;
		if (size_of(&question->asset, &recipe, &geometry) && geometry.width <= widest)
			break;
		widest = geometry.width;
		variant = json_object();
		add(variant, "url", url_of(question, policy->ladder[i]));
		add(variant, "width", number_or_null(geometry.width));
		add(variant, "height", number_or_null(geometry.height));
		append(variants, variant);
	}
	return variants;
}

/* ---- the answer ------------------------------------------------------------------------- */

/* What this process has printed lately.  Nothing else decides it than the row, the token and the
 * settings, and printing costs more than all the rest of an answer. */
enum { SHEETS = 8 };

struct sheet {
	struct asset asset;
	struct span token;
	struct span body;	/* the token is behind it */
	char etag[KEY_HEX + 3];
};

static struct sheet sheets[SHEETS];

static char *
print_info(const struct question *question)
{
	json_t *info = json_object();
	char *printed;

	add_facts(&question->asset, info);
	add(info, "formats", formats_of(&question->permit));
	add(info, "variants", variants_of(question));
	/* Focal points have six decimals. */
	printed = json_dumps(info, JSON_COMPACT | JSON_REAL_PRECISION(6));
	CHECK(printed != NULL);
	json_decref(info);
	return printed;
}

static void
fill_sheet(struct sheet *sheet, const struct question *question)
{
	struct span token = question->route->token;
	char *printed = print_info(question), *both;
	int length = asprintf(&both, "%s\n%.*s", printed, SPAN_ARGS(token));

	CHECK(length > 0);
	free(printed);
	free((char *)sheet->body.at);
	sheet->asset = question->asset;
	sheet->body = span_range(both, (size_t)length - token.length);
	sheet->token = span_range(both + sheet->body.length, token.length);
	snprintf(sheet->etag, sizeof(sheet->etag), "\"%s\"", key_of(sheet->body).hex);
}

/* Rows are compared as they lie in memory: at worst they look different, and are printed anew. */
static const struct sheet *
find_sheet(const struct question *question)
{
	const struct asset *asset = &question->asset;
	struct sheet *sheet = &sheets[checksum_of_bytes(asset->id, strlen(asset->id), 0) % SHEETS];
	struct span token = question->route->token;

	if (sheet->body.at == NULL || sheet->token.length != token.length ||
	    (token.length > 0 && memcmp(sheet->token.at, token.at, token.length) != 0) ||
	    memcmp(&sheet->asset, asset, sizeof(*asset)) != 0)
		fill_sheet(sheet, question);
	return sheet;
}

static void
respond(const struct question *question, struct request *request, struct response *response)
{
	const struct http_settings *http = &question->settings->http;
	const struct sheet *sheet = find_sheet(question);
	const struct freshness freshness = {
		.etag = sheet->etag,
		.max_age_s = freshness_age_s(http, &question->permit, &question->asset, question->now),
	};

	if (freshness_answer(&freshness, http, request, response))
		return;
	request->tier = TIER_INFO;
	response_text(response, request->arena, 200, "application/json", sheet->body);
	freshness_add_headers(&freshness, http, request, response);
}

bool
serve_info(struct server *server, struct request *request, const struct route *route, struct response *response,
    struct failure *why)
{
	struct question *question = arena_alloc(request->arena, sizeof(*question));

	question->settings = server->settings;
	question->route = route;
	question->arena = request->arena;
	question->now = time(NULL);
	request->asset = arena_copy_bytes(request->arena, route->asset.at, route->asset.length);
	if (!server_check_token(server, route, question->now, &question->permit, why) ||
	    !find_asset(server, request, route->asset, &question->asset, why) ||
	    !policy_allows_info(&server->settings->policy, &question->asset, &question->permit, question->now, why))
		return false;
	respond(question, request, response);
	return true;
}
