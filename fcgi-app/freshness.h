/*
 * freshness - how long an answer may be kept, and whether the client's copy is
 * still good.
 */
#ifndef FCGI_APP_FRESHNESS_H
#define FCGI_APP_FRESHNESS_H

#include "asset/asset.h"
#include "asset/token.h"
#include "fcgi-app/request.h"
#include "fcgi-app/response.h"
#include "settings/settings.h"

struct freshness {
	const char *etag;		/* strong, with its quotes */
	uint64_t max_age_s;
};

/* max_age_s as configured, but never past the end of the token or the asset. */
uint64_t freshness_age_s(const struct http_settings *http, const struct permit *permit, const struct asset *asset,
    int64_t now);

/* What 200, 304 and HEAD have in common. */
void freshness_add_headers(const struct freshness *freshness, const struct http_settings *http,
    const struct request *request, struct response *response);

/* Answers 304 or 412 where the request's conditions say so (RFC 9110 section 13.2.2);
 * false: there must be a whole answer. */
bool freshness_answer(const struct freshness *freshness, const struct http_settings *http, struct request *request,
    struct response *response);

#endif
