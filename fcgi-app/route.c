#include "fcgi-app/route.h"

#include "asset/asset.h"
#include "http/url.h"
#include "recipe/recipe.h"

#include <string.h>

enum { NAME_MAX_BYTES = 200 };	/* of the free text before the extension */

/* "wallpaper.webp" into name and format. */
static bool
parse_name(struct span segment, struct route *route, struct failure *why)
{
	const char *dot = segment.length > 0 ? memrchr(segment.at, '.', segment.length) : NULL;

	/* A bare "auto" is the whole name: ".../auto". */
	if (dot == NULL) {
		route->extension = segment;
		route->name = span_range(segment.at, 0);
	} else {
		route->name = span_range(segment.at, (size_t)(dot - segment.at));
		route->extension = span_range(dot + 1, segment.length - route->name.length - 1);
	}
	if (route->name.length > NAME_MAX_BYTES)
		return fail(why, FAIL_BAD_REQUEST, "the name is longer than %d bytes", NAME_MAX_BYTES);
	route->is_auto = span_equals(route->extension, "auto");
	route->format = route->is_auto ? MEDIA_NONE : media_of_extension(route->extension);
	return true;
}

/* All of it when there is no such character. */
static struct span
after_last(struct span span, char c)
{
	const char *found = span.length > 0 ? memrchr(span.at, c, span.length) : NULL;

	if (found == NULL)
		return span;
	return span_range(found + 1, span.length - (size_t)(found + 1 - span.at));
}

static bool
parse_asset(struct span segment, struct arena *arena, struct route *route, struct failure *why)
{
	if (!url_decode_segment(segment, arena, &route->asset, why))
		return false;
	return asset_id_is_valid(route->asset) ||
	    fail(why, FAIL_BAD_REQUEST, "an asset is named by 1 to %d of A-Z a-z 0-9 _ -", ASSET_ID_MAX);
}

bool
route_parse(struct span path, const char *prefix, struct arena *arena, struct route *route, struct failure *why)
{
	struct span rest, first, asset, recipe, name;

	*route = (struct route){ .kind = ROUTE_ASSET };
	if (!span_starts_with(path, prefix))
		return fail(why, FAIL_NOT_FOUND, "the path is not below %.64s", prefix);
	rest = span_range(path.at + strlen(prefix), path.length - strlen(prefix));
	if (rest.length == 0 || rest.at[0] != '/')
		return fail(why, FAIL_NOT_FOUND, "no such path");
	rest = span_range(rest.at + 1, rest.length - 1);
	first = span_cut(&rest, '/');
	if (rest.at == NULL) {
		if (span_equals(first, "health"))
			route->kind = ROUTE_HEALTH;
		else if (span_equals(first, "metrics"))
			route->kind = ROUTE_METRICS;
		else
			return fail(why, FAIL_NOT_FOUND, "no such path");
		return true;
	}
	if (span_equals(first, "s")) {
		route->has_token = true;
		route->token = span_cut(&rest, '/');
		if (rest.at == NULL)
			return fail(why, FAIL_BAD_REQUEST, "nothing follows the token");
		route->mac = after_last(route->token, '.');
		route->covered = span_range(rest.at - 1, rest.length + 1);
	} else if (!span_equals(first, "a")) {
		return fail(why, FAIL_NOT_FOUND, "no such path");
	}
	asset = span_cut(&rest, '/');
	if (span_equals(rest, "info.json")) {
		route->kind = ROUTE_INFO;
		return parse_asset(asset, arena, route, why);
	}
	recipe = rest.at != NULL ? span_cut(&rest, '/') : rest;
	if (rest.at == NULL)
		return fail(why, FAIL_BAD_REQUEST, "a path has the parts asset, recipe and name.format");
	name = span_cut(&rest, '/');
	if (rest.at != NULL)
		return fail(why, FAIL_BAD_REQUEST, "something follows name.format");
	return parse_asset(asset, arena, route, why) &&
	    recipe_decode_segment(recipe, arena, &route->recipe, why) &&
	    url_decode_segment(name, arena, &name, why) &&
	    parse_name(name, route, why);
}
