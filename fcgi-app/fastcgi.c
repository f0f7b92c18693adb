#include "fcgi-app/fastcgi.h"

#include "base/check.h"
#include "base/digest.h"
#include "fcgi-app/fastcgi_head.h"
#include "fcgi-app/watchdog.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_ID_MAX = 64,
	RECEIVE_MAX = 64 * 1024,
	LIBFCGI_READS = 8192,		/* at once: FCGX_Accept_r() of libfcgi 2.4 */
	/* What one of libfcgi's writes holds: each piece causes one at most. */
	PIECE_MAX = 8 * 1024 - 8,
	READ_MAX = 8 * PIECE_MAX,
	/* A unix socket that can be written to has room for half of its buffer (208 KiB by default);
	 * of TCP nothing is certain but the next piece. */
	UNIX_ROOM_BYTES = READ_MAX,
	/* A client that takes nothing in this time holds a responder for nothing.
	 * A slow one may take as long as it likes in all. */
	SEND_STALL_S = 30,
	/* For a wait and two writes that end as late as they can. */
	SEND_WATCHDOG_S = 3 * SEND_STALL_S + 5,
	RANDOM_BYTES = 8,		/* of a request id that is made here */
	RANDOM_SUPPLY = 64,		/* of them in a system call */
	UNKNOWN_ROLE = 3		/* FCGI_UNKNOWN_ROLE, section 5.5 */
};

struct fastcgi {
	int listener;
	int connection;			/* -1: none */
	bool writes_are_limited;	/* in time, on this connection */
	size_t room, room_made;		/* that needs no waiting; that waiting makes */
	int passage;			/* a file in memory, in which a request goes to libfcgi; -1: none yet */
	FCGX_Request request;
	struct fastcgi_head head;
	unsigned char random[RANDOM_SUPPLY][RANDOM_BYTES];
	unsigned random_left;
	unsigned char in[FASTCGI_HEAD_MAX + RECEIVE_MAX];
	char file[READ_MAX];
};

/* ---- connections -------------------------------------------------------------------- */

static size_t
room_of(int listener)
{
	socklen_t length = sizeof(int);
	int domain = 0;

	(void)getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &domain, &length);
	return domain == AF_UNIX ? UNIX_ROOM_BYTES : PIECE_MAX;
}

struct fastcgi *
fastcgi_open(int listener)
{
	struct fastcgi *fastcgi = calloc(1, sizeof(*fastcgi));
	int flags = fcntl(listener, F_GETFL);

	CHECK(fastcgi != NULL);
	CHECK(flags != -1 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) != -1);
	CHECK(FCGX_Init() == 0);
	fastcgi->room_made = room_of(listener);
	signal(SIGPIPE, SIG_IGN);	/* after FCGX_Init(), which replaces it */
	/* The last of several writes would wait for an acknowledgement.  Accepted connections
	 * inherit it; no use on a unix socket. */
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	fastcgi->listener = listener;
	fastcgi->connection = -1;
	fastcgi->passage = -1;
	return fastcgi;
}

enum fastcgi_answer
fastcgi_accept(struct fastcgi *fastcgi)
{
	fastcgi->connection = accept4(fastcgi->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fastcgi->connection == -1)
		return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? FASTCGI_NONE : FASTCGI_BROKEN;
	fastcgi->writes_are_limited = false;
	fastcgi_head_init(&fastcgi->head);
	return FASTCGI_CONNECTED;
}

/* libfcgi's own end would wait for the peer's. */
void
fastcgi_finish(struct fastcgi *fastcgi)
{
	FCGX_Free(&fastcgi->request, 0);
	if (fastcgi->connection != -1)
		close(fastcgi->connection);
	fastcgi->connection = -1;
}

void
fastcgi_close(struct fastcgi *fastcgi)
{
	fastcgi_finish(fastcgi);
	if (fastcgi->passage != -1)
		close(fastcgi->passage);
	free(fastcgi);
}

/* ---- receiving ---------------------------------------------------------------------- */

/* libfcgi has no words for it. */
static void
refuse_role(const struct fastcgi *fastcgi)
{
	unsigned id = fastcgi->head.id;
	const unsigned char end[] = { 1, FASTCGI_END_REQUEST, id >> 8 & 255, id & 255, 0, 8, 0, 0,
		0, 0, 0, 0, UNKNOWN_ROLE, 0, 0, 0 };

	(void)send(fastcgi->connection, end, sizeof(end), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
receive_bytes(struct fastcgi *fastcgi, struct deadline deadline, enum head_verdict *verdict, struct failure *why)
{
	struct pollfd more = { .fd = fastcgi->connection, .events = POLLIN };
	struct fastcgi_head *head = &fastcgi->head;
	unsigned char *room = fastcgi->in + head->bytes;	/* the body is not kept */
	ssize_t got = recv(fastcgi->connection, room, sizeof(fastcgi->in) - head->bytes, MSG_DONTWAIT);

	if (got > 0) {
		*verdict = fastcgi_head_take(head, room, (size_t)got, why);
		if (*verdict == HEAD_WRONG && head->has_foreign_role)
			refuse_role(fastcgi);
		return *verdict != HEAD_WRONG;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		return fail(why, head->bytes == 0 ? FAIL_ABANDONED : FAIL_BAD_REQUEST, "the peer left in mid-request");
	return poll(&more, 1, deadline_left_ms(deadline)) != 0 ||
	    fail(why, FAIL_TIMEOUT, "the request did not come in time, only %zu bytes of it",
	    head->bytes + head->body_bytes);
}

/* libfcgi reads what was found to be well-formed, from a descriptor where all of it is, so it can
 * neither wait nor fail, and then has the connection, to answer.  fcgiapp.h would rather keep ipcFd
 * and keepConnection to itself, but there is no other way to give it one: with both set
 * FCGX_Accept_r() does not accept, and nowhere could it, without a listener. */
static bool
let_libfcgi_read(struct fastcgi *fastcgi, int *from, struct failure *why)
{
	FCGX_InitRequest(&fastcgi->request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	fastcgi->request.ipcFd = *from;
	fastcgi->request.keepConnection = true;
	if (FCGX_Accept_r(&fastcgi->request) != 0) {
		*from = -1;		/* it has closed it */
		return fail(why, FAIL_BAD_REQUEST, "libfcgi does not understand the request");
	}
	fastcgi->request.ipcFd = fastcgi->connection;
	return true;
}

/* As nearly every request is that a web server sends: whole, before anybody looks, and short enough
 * for libfcgi to leave nothing unread on the connection.  Nothing is taken from it here. */
static bool
is_whole_and_short(struct fastcgi *fastcgi)
{
	ssize_t got = recv(fastcgi->connection, fastcgi->in, LIBFCGI_READS + 1, MSG_PEEK | MSG_DONTWAIT);
	struct fastcgi_head head;
	struct failure ignored = { 0 };

	fastcgi_head_init(&head);
	return got > 0 && got <= LIBFCGI_READS &&
	    fastcgi_head_take(&head, fastcgi->in, (size_t)got, &ignored) == HEAD_COMPLETE;
}

/* What was gathered goes through a file.  What a longer request left there is behind a header that no
 * version of FastCGI has. */
static bool
pass_to_libfcgi(struct fastcgi *fastcgi, struct failure *why)
{
	size_t bytes = fastcgi->head.bytes + FASTCGI_HEADER_BYTES;

	memset(fastcgi->in + fastcgi->head.bytes, 0, FASTCGI_HEADER_BYTES);
	if (fastcgi->passage == -1)
		fastcgi->passage = memfd_create("request", MFD_CLOEXEC);
	if (pwrite(fastcgi->passage, fastcgi->in, bytes, 0) != (ssize_t)bytes ||
	    lseek(fastcgi->passage, 0, SEEK_SET) == -1)
		return fail(why, FAIL_INTERNAL, "cannot pass a request on: %s", strerror(errno));
	return let_libfcgi_read(fastcgi, &fastcgi->passage, why);
}

bool
fastcgi_receive(struct fastcgi *fastcgi, struct deadline deadline, struct failure *why)
{
	enum head_verdict verdict = HEAD_MORE;

	if (fastcgi->head.bytes == 0 && is_whole_and_short(fastcgi))
		return let_libfcgi_read(fastcgi, &fastcgi->connection, why);
	while (verdict != HEAD_COMPLETE)
		/* One that says something all the time has no more time than others. */
		if ((deadline_has_passed(deadline) && !fail(why, FAIL_TIMEOUT, "the request came too slowly")) ||
		    !receive_bytes(fastcgi, deadline, &verdict, why))
			return false;
	return pass_to_libfcgi(fastcgi, why);
}

/* ---- the request -------------------------------------------------------------------- */

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
new_request_id(struct fastcgi *fastcgi, struct arena *arena)
{
	char hex[2 * RANDOM_BYTES + 1];

	if (fastcgi->random_left == 0) {
		CHECK(getrandom(fastcgi->random, sizeof(fastcgi->random), 0) == sizeof(fastcgi->random));
		fastcgi->random_left = RANDOM_SUPPLY;
	}
	hex_print(fastcgi->random[--fastcgi->random_left], RANDOM_BYTES, hex);
	return arena_copy_string(arena, hex);
}

/* One pass over the parameters: FCGX_GetParam() searches them all each time. */
static void
read_parameters(struct fastcgi *fastcgi, struct request *request)
{
	struct span given_id = { 0 }, if_range = { 0 }, if_unmodified_since = { 0 }, send = { 0 };
	const struct {
		struct span name, *value;
	} wanted[] = {
		{ SPAN_OF_LITERAL("REQUEST_METHOD"), &request->method },
		{ SPAN_OF_LITERAL("REQUEST_URI"), &request->target },
		{ SPAN_OF_LITERAL("HTTP_ACCEPT"), &request->fields[FIELD_ACCEPT] },
		{ SPAN_OF_LITERAL("HTTP_SAVE_DATA"), &request->fields[FIELD_SAVE_DATA] },
		{ SPAN_OF_LITERAL("HTTP_SEC_CH_WIDTH"), &request->fields[FIELD_SEC_CH_WIDTH] },
		{ SPAN_OF_LITERAL("HTTP_WIDTH"), &request->fields[FIELD_WIDTH] },
		{ SPAN_OF_LITERAL("HTTP_SEC_CH_DPR"), &request->fields[FIELD_SEC_CH_DPR] },
		{ SPAN_OF_LITERAL("HTTP_DPR"), &request->fields[FIELD_DPR] },
		{ SPAN_OF_LITERAL("HTTP_IF_NONE_MATCH"), &request->if_none_match },
		{ SPAN_OF_LITERAL("HTTP_IF_MATCH"), &request->if_match },
		{ SPAN_OF_LITERAL("HTTP_IF_RANGE"), &if_range },
		{ SPAN_OF_LITERAL("HTTP_IF_UNMODIFIED_SINCE"), &if_unmodified_since },
		{ SPAN_OF_LITERAL("HTTP_X_REQUEST_ID"), &given_id },
		{ SPAN_OF_LITERAL("REMOTE_ADDR"), &request->remote_address },
		{ SPAN_OF_LITERAL("VITRINE_SEND"), &send },
	};

	for (char **at = fastcgi->request.envp; *at != NULL; at++) {
		struct span value = span_of(*at), name = span_cut(&value, '=');

		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (wanted[i].name.length == name.length &&
			    memcmp(wanted[i].name.at, name.at, name.length) == 0)
				*wanted[i].value = value;
	}
	request->has_precondition = request->if_match.at != NULL || if_range.at != NULL ||
	    if_unmodified_since.at != NULL;
	request->needs_body = span_equals(send, "body");
	request->is_head = span_equals(request->method, "HEAD");
	if (given_id.at != NULL && request_id_is_valid(given_id))
		request->id = arena_copy_bytes(request->arena, given_id.at, given_id.length);
	else
		request->id = new_request_id(fastcgi, request->arena);
}

void
fastcgi_read(struct fastcgi *fastcgi, struct arena *arena, struct request *request)
{
	memset(request, 0, sizeof(*request));
	request->arena = arena;
	request->started_us = monotonic_us();
	request->ends[0] = (struct pollfd){ .fd = fastcgi->connection, .events = POLLRDHUP };
	request->ends[1].fd = -1;
	read_parameters(fastcgi, request);
}

/* ---- the answer --------------------------------------------------------------------- */

/* The reason phrase is for people only (RFC 9110 section 15.1), but Apache
 * wants one. */
static const char *
status_line(struct arena *arena, unsigned status)
{
	switch (status) {
	case 200: return "200 OK";
	case 304: return "304 Not Modified";
	case 400: return "400 Bad Request";
	case 403: return "403 Forbidden";
	case 404: return "404 Not Found";
	case 405: return "405 Method Not Allowed";
	case 410: return "410 Gone";
	case 412: return "412 Precondition Failed";
	case 415: return "415 Unsupported Media Type";
	case 422: return "422 Unprocessable Content";
	case 500: return "500 Internal Server Error";
	case 502: return "502 Bad Gateway";
	case 503: return "503 Service Unavailable";
	case 504: return "504 Gateway Timeout";
	}
	return arena_printf(arena, "%u Status", status);
}

static void
put_header(FCGX_Stream *out, const char *name, const char *value)
{
	FCGX_PutS(name, out);
	FCGX_PutS(": ", out);
	FCGX_PutS(value, out);
	FCGX_PutS("\r\n", out);
}

static void
put_head(FCGX_Stream *out, const struct request *request, const struct response *response)
{
	/* Always a Status: without one Apache judges conditions by itself. */
	put_header(out, "Status", status_line(request->arena, response->status));
	for (unsigned i = 0; i < response->header_count; i++)
		put_header(out, response->headers[i].name, response->headers[i].value);
	FCGX_PutS("\r\n", out);
}

/* To libfcgi a write that runs into this has failed, which is what we want. */
static void
limit_writes(struct fastcgi *fastcgi)
{
	const struct timeval stall = { .tv_sec = SEND_STALL_S };

	if (!fastcgi->writes_are_limited)
		setsockopt(fastcgi->connection, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof(stall));
	fastcgi->writes_are_limited = true;
}

/* libfcgi's writes block, so there has to be room.  SO_SNDTIMEO alone is not enough: who takes
 * a little does not wake a write, but lets it succeed at its end, and the next one waits again. */
static bool
wait_for_room(struct fastcgi *fastcgi)
{
	struct pollfd room = { .fd = fastcgi->connection, .events = POLLOUT };
	struct deadline deadline = deadline_in_ms(SEND_STALL_S * 1000);
	int ready;

	limit_writes(fastcgi);
	watchdog_set(SEND_WATCHDOG_S);
	while ((ready = poll(&room, 1, deadline_left_ms(deadline))) == -1 && errno == EINTR)
		;
	fastcgi->room = ready == 1 ? fastcgi->room_made : 0;
	return ready == 1;
}

static bool
put_bytes(struct fastcgi *fastcgi, const char *bytes, size_t length)
{
	for (size_t at = 0, piece; at < length; at += piece) {
		piece = length - at < PIECE_MAX ? length - at : PIECE_MAX;
		if ((fastcgi->room < piece && !wait_for_room(fastcgi)) ||
		    FCGX_PutStr(bytes + at, (int)piece, fastcgi->request.out) == -1)
			return false;
		fastcgi->room -= piece;
	}
	return true;
}

/* A file that is shorter than was announced must not look complete: no end is sent. */
static bool
put_file(struct fastcgi *fastcgi, const struct response *response, uint64_t *sent)
{
	while (*sent < response->file_bytes) {
		uint64_t left = response->file_bytes - *sent;
		ssize_t got = pread(response->file_fd, fastcgi->file, left < READ_MAX ? (size_t)left : READ_MAX,
		    (off_t)*sent);

		if (got <= 0 || !put_bytes(fastcgi, fastcgi->file, (size_t)got))
			return false;
		*sent += (uint64_t)got;
	}
	return true;
}

static bool
put_body(struct fastcgi *fastcgi, const struct request *request, const struct response *response, uint64_t *sent)
{
	if (request->is_head || response->is_sent_by_server)
		return true;
	if (response->file_fd != -1)
		return put_file(fastcgi, response, sent);
	*sent = response->body.length;
	return put_bytes(fastcgi, response->body.at, response->body.length);
}

bool
fastcgi_send(struct fastcgi *fastcgi, const struct request *request, const struct response *response,
    uint64_t *sent)
{
	FCGX_Request *libfcgi = &fastcgi->request;
	bool is_whole;

	*sent = 0;
	fastcgi->room = 0;
	put_head(libfcgi->out, request, response);
	/* Closing them in this order says that the request has ended, with the last bytes. */
	is_whole = put_body(fastcgi, request, response, sent) &&
	    FCGX_FClose(libfcgi->err) == 0 && FCGX_FClose(libfcgi->out) == 0;
	if (!is_whole)
		shutdown(fastcgi->connection, SHUT_RDWR);
	return is_whole;
}
