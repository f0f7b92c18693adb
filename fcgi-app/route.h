/*
 * route - from the raw path to the parts that the steps need.
 *
 *	/a/{asset}/{recipe}/{name}.{format}
 *	/s/{token}/{asset}/{recipe}/{name}.{format}
 *	/a/{asset}/info.json
 *	/s/{token}/{asset}/info.json
 *	/health  /metrics
 */
#ifndef FCGI_APP_ROUTE_H
#define FCGI_APP_ROUTE_H

#include "base/arena.h"
#include "base/failure.h"
#include "base/text.h"
#include "http/media.h"

#include <stdbool.h>

enum route_kind { ROUTE_ASSET, ROUTE_INFO, ROUTE_HEALTH, ROUTE_METRICS };

struct route {
	enum route_kind kind;
	bool has_token;
	struct span token;	/* raw */
	struct span mac;	/* raw: its last part, which nobody else may learn */
	struct span covered;	/* raw: the path after the token, from its "/" on */
	struct span asset;	/* decoded */
	struct span recipe;	/* as recipe_parse() reads it */
	struct span name;	/* decoded, without the extension */
	bool is_auto;
	enum media format;	/* MEDIA_NONE for auto, and when the extension is unknown */
	struct span extension;
};

/* FAIL_BAD_REQUEST for what is malformed, FAIL_NOT_FOUND for paths that lead
 * nowhere here. */
bool route_parse(struct span path, const char *prefix, struct arena *arena, struct route *route,
    struct failure *why) __attribute__((warn_unused_result));

#endif
