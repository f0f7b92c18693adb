/*
 * response - status, headers and body, before they are sent.
 *
 * The one table that turns failure kinds into HTTP (status, cacheability, what
 * the client is told) is in response.c.
 */
#ifndef FCGI_APP_RESPONSE_H
#define FCGI_APP_RESPONSE_H

#include "base/arena.h"
#include "base/failure.h"
#include "base/text.h"
#include "fcgi-app/request.h"
#include "settings/settings.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { RESPONSE_HEADERS_MAX = 24 };

struct response_header {
	const char *name, *value;
};

struct response {
	unsigned status;
	struct response_header headers[RESPONSE_HEADERS_MAX];
	unsigned header_count;

	struct span body;		/* when file_fd is -1 */
	int file_fd;			/* or the body is this file, from offset 0 */
	uint64_t file_bytes;
	bool is_sent_by_server;		/* the web server sends the file; we only name it */

	const char *reason;		/* of a failure, for the log; NULL */
	const char *failure;		/* kind, for the log; NULL */
};

void response_init(struct response *response);

/* Name and value must live as long as the request.  The value is checked to
 * have no control characters: a bug otherwise. */
void response_add_header(struct response *response, const char *name, const char *value);

/* Scripts of which sites may read the answer. */
void response_allow_origin(struct response *response, const struct http_settings *http);

/* A text body made by us. */
void response_text(struct response *response, struct arena *arena, unsigned status,
    const char *media_type, struct span body);

/* The whole answer to a failure: application/problem+json (RFC 9457) with the
 * request's id.  The detail is shown only where its cause is the client's own
 * words or the picture. */
void response_failure(struct response *response, const struct request *request,
    const struct http_settings *http, const struct failure *why);

/* Whether the bytes of a file go through FastCGI, so that it must be open.  Conditions that
 * nginx would judge by its own entity tags are answered that way too. */
bool response_carries_file(const struct request *request, const struct http_settings *http,
    const struct store_file *file);

/* Lets the file be the body, in the configured way. */
void response_file(struct response *response, const struct request *request,
    const struct http_settings *http, const struct store_config *store, const struct store_file *file);

unsigned response_status_of(enum failure_kind kind);

#endif
