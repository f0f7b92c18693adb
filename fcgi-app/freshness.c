#include "fcgi-app/freshness.h"

#include "http/conditional.h"

#include <inttypes.h>

uint64_t
freshness_age_s(const struct http_settings *http, const struct permit *permit, const struct asset *asset, int64_t now)
{
	int64_t age = http->max_age_s;

	if (permit->expires > 0 && permit->expires - now < age)
		age = permit->expires - now;
	if (asset->expires > 0 && asset->expires - now < age)
		age = asset->expires - now;
	return age > 0 ? (uint64_t)age : 0;
}

void
freshness_add_headers(const struct freshness *freshness, const struct http_settings *http,
    const struct request *request, struct response *response)
{
	response_add_header(response, "ETag", freshness->etag);
	response_add_header(response, "Cache-Control",
	    arena_printf(request->arena, "public, max-age=%" PRIu64, freshness->max_age_s));
	if (request_vary(request) != NULL)
		response_add_header(response, "Vary", request_vary(request));
	response_allow_origin(response, http);
}

bool
freshness_answer(const struct freshness *freshness, const struct http_settings *http, struct request *request,
    struct response *response)
{
	if (request->if_match.at != NULL && !conditional_match_hits(request->if_match, freshness->etag)) {
		response_text(response, request->arena, 412, "text/plain", span_of("the picture has changed\n"));
		response_add_header(response, "Cache-Control", "no-store");
		return true;
	}
	if (request->if_none_match.at == NULL ||
	    !conditional_none_match_hits(request->if_none_match, freshness->etag))
		return false;
	response->status = 304;
	freshness_add_headers(freshness, http, request, response);
	request->tier = TIER_CONDITIONAL;
	return true;
}
