/*
 * fuzz_route - request targets on their way to parts.  What comes out is harmless,
 * and a path that is taken apart with a prefix is the same without.
 */
#include "asset/asset.h"
#include "base/check.h"
#include "fcgi-app/route.h"
#include "http/url.h"
#include "recipe/recipe.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
is_within(struct span part, struct span whole)
{
	return part.at >= whole.at && part.at + part.length <= whole.at + whole.length;
}

static void
check_parts(const struct route *route, struct span path)
{
	if (route->has_token) {
		CHECK(is_within(route->token, path) && is_within(route->mac, route->token));
		CHECK(is_within(route->covered, path) && route->covered.at[0] == '/');
	}
	if (route->kind == ROUTE_HEALTH || route->kind == ROUTE_METRICS)
		return;
	CHECK(asset_id_is_valid(route->asset));
	if (route->kind == ROUTE_INFO)
		return;
	CHECK(route->format < MEDIA_COUNT && (!route->is_auto || route->format == MEDIA_NONE));
	CHECK(span_is_utf8(route->name) && (route->name.length == 0 ||
	    memchr(route->name.at, '/', route->name.length) == NULL));
}

static void
check_same(const struct route *one, const struct route *other)
{
	CHECK(one->kind == other->kind && one->has_token == other->has_token && one->format == other->format);
	CHECK(one->asset.length == other->asset.length && one->recipe.length == other->recipe.length);
	CHECK(one->token.length == other->token.length && one->covered.length == other->covered.length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span target = span_range((const char *)bytes, size), path;
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct route route, below;
	struct text prefixed;

	if (url_path(target, &path, &why)) {
		text_init(&prefixed, arena, path.length + 7);
		text_add(&prefixed, "/images");
		text_add_bytes(&prefixed, path.at, path.length);
		if (route_parse(path, "", arena, &route, &why)) {
			check_parts(&route, path);
			CHECK(route_parse(text_span(&prefixed), "/images", arena, &below, &why));
			check_same(&route, &below);
		} else {
			CHECK(why.kind == FAIL_BAD_REQUEST || why.kind == FAIL_NOT_FOUND);
		}
	}
	arena_free(arena);
	return 0;
}
