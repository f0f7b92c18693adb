#include "fcgi-app/fastcgi.h"

#include "base/check.h"
#include "base/digest.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_ID_MAX = 64,
	SEND_CHUNK = 64 * 1024,
	/* A client that takes less than a chunk in this time holds a responder
	 * for nothing.  A slow one may take as long as it likes in all. */
	SEND_STALL_S = 30
};

struct fastcgi {
	FCGX_Request request;
	char chunk[SEND_CHUNK];
};

struct fastcgi *
fastcgi_open(int listener)
{
	struct fastcgi *fastcgi = calloc(1, sizeof(*fastcgi));
	int flags = fcntl(listener, F_GETFL);

	CHECK(fastcgi != NULL);
	CHECK(flags != -1 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) != -1);
	/* How long libfcgi waits for a peer that says nothing or lingers: 2 s if left alone. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 1);
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 1);
	CHECK(FCGX_Init() == 0);
	signal(SIGPIPE, SIG_IGN);	/* after FCGX_Init(), which replaces it */
	CHECK(FCGX_InitRequest(&fastcgi->request, listener, FCGI_FAIL_ACCEPT_ON_INTR) == 0);
	return fastcgi;
}

static bool
request_id_is_valid(struct span id)
{
	for (size_t i = 0; i < id.length; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", id.at[i]) == NULL ||
		    id.at[i] == '\0')
			return false;
	return id.length > 0 && id.length <= REQUEST_ID_MAX;
}

static const char *
new_request_id(struct arena *arena)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];

	CHECK(getrandom(random, sizeof(random), 0) == sizeof(random));
	hex_print(random, sizeof(random), hex);
	return arena_copy_string(arena, hex);
}

/* One pass over the parameters: FCGX_GetParam() searches them all each time. */
static void
read_parameters(struct request *request, char **parameters)
{
	struct {
		const char *name;
		struct span *value;
	} const wanted[] = {
		{ "REQUEST_METHOD=", &request->method },
		{ "REQUEST_URI=", &request->target },
		{ "HTTP_ACCEPT=", &request->fields[FIELD_ACCEPT] },
		{ "HTTP_SAVE_DATA=", &request->fields[FIELD_SAVE_DATA] },
		{ "HTTP_SEC_CH_WIDTH=", &request->fields[FIELD_SEC_CH_WIDTH] },
		{ "HTTP_WIDTH=", &request->fields[FIELD_WIDTH] },
		{ "HTTP_SEC_CH_DPR=", &request->fields[FIELD_SEC_CH_DPR] },
		{ "HTTP_DPR=", &request->fields[FIELD_DPR] },
		{ "HTTP_IF_NONE_MATCH=", &request->if_none_match },
		{ "HTTP_IF_MATCH=", &request->if_match },
		{ "REMOTE_ADDR=", &request->remote_address },
	};
	struct span given_id = { NULL, 0 };

	for (char **at = parameters; *at != NULL; at++) {
		struct span parameter = span_of(*at);

		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (span_starts_with(parameter, wanted[i].name)) {
				*wanted[i].value = span_of(*at + strlen(wanted[i].name));
				break;
			}
		if (span_starts_with(parameter, "HTTP_X_REQUEST_ID="))
			given_id = span_of(*at + strlen("HTTP_X_REQUEST_ID="));
		else if (span_starts_with(parameter, "HTTP_IF_MATCH=") ||
		    span_starts_with(parameter, "HTTP_IF_RANGE=") ||
		    span_starts_with(parameter, "HTTP_IF_UNMODIFIED_SINCE="))
			request->has_precondition = true;
		else if (span_equals(parameter, "VITRINE_SEND=body"))
			request->needs_body = true;
	}
	request->is_head = span_equals(request->method, "HEAD");
	if (given_id.at != NULL && request_id_is_valid(given_id))
		request->id = arena_copy_bytes(request->arena, given_id.at, given_id.length);
	else
		request->id = new_request_id(request->arena);
}

enum fastcgi_answer
fastcgi_accept(struct fastcgi *fastcgi, struct arena *arena, struct request *request)
{
	int code = FCGX_Accept_r(&fastcgi->request);

	if (code == -EAGAIN || code == -EWOULDBLOCK || code == -EINTR || code == -ECONNABORTED)
		return FASTCGI_NONE;
	if (code < 0)
		return FASTCGI_BROKEN;
	memset(request, 0, sizeof(*request));
	request->arena = arena;
	request->started_us = monotonic_us();
	request->connection = fastcgi->request.ipcFd;
	read_parameters(request, fastcgi->request.envp);
	return FASTCGI_REQUEST;
}

/* The reason phrase is for people only (RFC 9110 section 15.1), but Apache
 * wants one. */
static const char *
status_phrase(unsigned status)
{
	switch (status) {
	case 200: return "OK";
	case 304: return "Not Modified";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 410: return "Gone";
	case 412: return "Precondition Failed";
	case 415: return "Unsupported Media Type";
	case 422: return "Unprocessable Content";
	case 500: return "Internal Server Error";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	}
	return "Status";
}

static bool
send_file(struct fastcgi *fastcgi, const struct response *response, uint64_t *sent)
{
	while (*sent < response->file_bytes) {
		uint64_t left = response->file_bytes - *sent;
		size_t want = left < SEND_CHUNK ? (size_t)left : SEND_CHUNK;
		ssize_t got = pread(response->file_fd, fastcgi->chunk, want, (off_t)*sent);

		/* Less than was announced.  An orderly end of the request would
		 * make the cut picture look complete, so the connection breaks. */
		if (got <= 0) {
			shutdown(fastcgi->request.ipcFd, SHUT_RDWR);
			return false;
		}
		alarm(SEND_STALL_S);
		if (FCGX_PutStr(fastcgi->chunk, (int)got, fastcgi->request.out) == -1)
			return false;
		*sent += (uint64_t)got;
	}
	return true;
}

bool
fastcgi_send(struct fastcgi *fastcgi, const struct request *request, const struct response *response,
    uint64_t *sent)
{
	FCGX_Stream *out = fastcgi->request.out;

	*sent = 0;
	/* Always a Status: without one Apache judges conditions by itself. */
	FCGX_FPrintF(out, "Status: %u %s\r\n", response->status, status_phrase(response->status));
	for (unsigned i = 0; i < response->header_count; i++) {
		FCGX_PutS(response->headers[i].name, out);
		FCGX_PutS(": ", out);
		FCGX_PutS(response->headers[i].value, out);
		FCGX_PutS("\r\n", out);
	}
	FCGX_PutS("\r\n", out);
	if (!request->is_head && !response->is_sent_by_server) {
		if (response->file_fd != -1) {
			if (!send_file(fastcgi, response, sent))
				return false;
		} else if (response->body.length > 0) {
			FCGX_PutStr(response->body.at, (int)response->body.length, out);
			*sent = response->body.length;
		}
	}
	return FCGX_FFlush(out) != -1 && FCGX_GetError(out) == 0;
}

void
fastcgi_finish(struct fastcgi *fastcgi)
{
	char rest[4096];

	/* Unread input would turn the close of a unix socket into a reset. */
	for (unsigned i = 0; i < 64 && FCGX_GetStr(rest, sizeof(rest), fastcgi->request.in) == sizeof(rest); i++)
		;
	FCGX_Finish_r(&fastcgi->request);
}

void
fastcgi_close(struct fastcgi *fastcgi)
{
	FCGX_Free(&fastcgi->request, 1);
	free(fastcgi);
}
