/*
 * http_client - one HTTP request at a time, to one server, within a deadline.
 *
 * The little of HTTP that S3 needs: GET, HEAD and PUT with our own headers,
 * sent exactly as given; an answer's body goes to a file or into a bounded
 * buffer.  Redirects are not followed, proxies are not used, nothing is
 * repeated here.  The connection is kept for the next request.
 *
 * What is ANSWERED is complete: as long as Content-Length says, or properly
 * terminated chunks; a body whose end only the closing connection tells is
 * BROKEN, because nobody could see that it was cut off.
 *
 * A deadline ends a request at every stage, also while it looks for the address
 * or connects; that nobody waits any longer (deadline.h) is noticed within
 * VIGIL_MS and a quarter.
 *
 * Opened after fork, used by one process and thread, which ignores SIGPIPE.
 */
#ifndef ORIGIN_HTTP_CLIENT_H
#define ORIGIN_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/failure.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_HEADERS_MAX = 16 * 1024,	/* of one answer, all heads and trailers; S3's have less than 1 kB */
	HTTP_ERROR_BODY_MAX = 64 * 1024,
	HTTP_STALL_BYTES_PER_SECOND = 1000,
	HTTP_REASON_MAX = 160
};

struct http_client_config {
	const char *tls_ca;		/* PEM file; "" for the system's */
	unsigned connect_timeout_ms;	/* name, TCP and TLS together */
	unsigned stall_timeout_ms;	/* slower than 1 kB/s for this long, or silent */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT };

struct http_request {
	enum http_method method;
	const char *url;		/* sent as it is, "..", "//" and all */
	const char *const *headers;	/* "name: value"; Host is made from the URL */
	size_t header_count;
	int body_fd;			/* PUT: its first body_bytes bytes */
	uint64_t body_bytes;
	int sink_fd;			/* GET: the body of a 200 is written here; -1: into memory */
	uint64_t max_bytes;		/* of the body of a 200, in file or memory */
	bool needs_fresh_connection;	/* for another try: also asks the DNS again */
};

enum http_outcome {
	HTTP_ANSWERED,			/* with any status */
	HTTP_NO_CONNECTION,		/* name not found, refused, no route, connect timeout */
	HTTP_NOT_TRUSTED,		/* its certificate is not good for its name */
	HTTP_STALLED,			/* connected, and then silent or too slow */
	HTTP_TOO_LATE,			/* the deadline passed, or nobody waits any longer */
	HTTP_BROKEN,			/* reset, cut off, or not HTTP */
	HTTP_TOO_LARGE,			/* over max_bytes; noticed before the first byte if announced */
	HTTP_FILE_FAILED		/* sink_fd or body_fd */
};

struct http_response {
	unsigned status;
	struct text headers;		/* lines as they came, without the status line */
	struct text body;		/* of errors, and of a 200 without sink_fd */
	uint64_t bytes;			/* length of the body that arrived */
	char reason[HTTP_REASON_MAX];	/* why it was not answered, for the log */
};

struct http_client;

struct http_client *http_client_open(const struct http_client_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void http_client_close(struct http_client *client);

/* Texts of the response live in the arena. */
enum http_outcome http_client_send(struct http_client *client, const struct http_request *request,
    struct deadline deadline, struct arena *arena, struct http_response *response)
    __attribute__((warn_unused_result));

/* The first header of this name, trimmed; false when there is none. */
bool http_response_header(const struct http_response *response, const char *name,
    struct span *value);

/* Content-Length; false when it is missing, malformed, or there are several
 * that differ (RFC 9112 section 6.3). */
bool http_response_length(const struct http_response *response, uint64_t *length);

#endif
