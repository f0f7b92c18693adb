#include "fcgi-app/fastcgi.h"

#include "base/check.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_ID_MAX = 64,
	/* Apache lets 100 headers of 8190 bytes pass; nginx much less. */
	PARAMETERS_MAX = 1 << 20,
	/* Requests have no body.  What comes nevertheless is read, because closing with
	 * unread bytes would take the answer from the peer. */
	INPUT_MAX = 1 << 20,
	/* A client that takes less than a piece in this time holds a responder
	 * for nothing.  A slow one may take as long as it likes in all. */
	SEND_STALL_S = 30,
	SEND_GRACE_S = 5
};

/* Specification, section 8. */
enum {
	VERSION = 1,
	HEADER_BYTES = 8,
	CONTENT_MAX = 65535,
	PADDING_MAX = 255,
	RECORD_MAX = HEADER_BYTES + CONTENT_MAX + PADDING_MAX,
	PIECE_MAX = 65528,		/* of content: a multiple of 8 needs no padding */
	END_BYTES = HEADER_BYTES + 8,	/* FCGI_END_REQUEST */
	ROLE_RESPONDER = 1
};
enum record_type { BEGIN_REQUEST = 1, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT };
enum protocol_status { REQUEST_COMPLETE = 0, UNKNOWN_ROLE = 3 };

struct record {
	unsigned type, id;
	const unsigned char *content;
	size_t length;			/* of the content */
	size_t bytes;			/* in all */
};

struct fastcgi {
	int listener;
	int connection;			/* -1: none */
	unsigned expected;		/* type of the next record; 0: the request is complete */
	unsigned id;
	size_t received;		/* of the record that is coming in, and what is behind it */
	size_t parameters_length;
	size_t input_bytes;
	size_t piece;			/* bytes of content that wait to be sent */
	unsigned char in[RECORD_MAX];
	unsigned char out[HEADER_BYTES + PIECE_MAX + HEADER_BYTES + END_BYTES];
	char parameters[PARAMETERS_MAX];
};

/* ---- connections -------------------------------------------------------------------- */

struct fastcgi *
fastcgi_open(int listener)
{
	struct fastcgi *fastcgi = calloc(1, sizeof(*fastcgi));
	int flags = fcntl(listener, F_GETFL);

	CHECK(fastcgi != NULL);
	CHECK(flags != -1 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) != -1);
	fastcgi->listener = listener;
	fastcgi->connection = -1;
	signal(SIGPIPE, SIG_IGN);
	return fastcgi;
}

enum fastcgi_answer
fastcgi_accept(struct fastcgi *fastcgi)
{
	fastcgi->connection = accept4(fastcgi->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fastcgi->connection == -1)
		return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? FASTCGI_NONE : FASTCGI_BROKEN;
	fastcgi->expected = BEGIN_REQUEST;
	fastcgi->received = fastcgi->parameters_length = fastcgi->input_bytes = fastcgi->piece = 0;
	return FASTCGI_CONNECTED;
}

void
fastcgi_finish(struct fastcgi *fastcgi)
{
	if (fastcgi->connection != -1)
		close(fastcgi->connection);
	fastcgi->connection = -1;
}

void
fastcgi_close(struct fastcgi *fastcgi)
{
	fastcgi_finish(fastcgi);
	free(fastcgi);
}

/* ---- sending bytes ------------------------------------------------------------------ */

static bool
send_bytes(struct fastcgi *fastcgi, const unsigned char *bytes, size_t length)
{
	struct deadline deadline = deadline_in_ms(SEND_STALL_S * 1000);
	struct pollfd room = { .fd = fastcgi->connection, .events = POLLOUT };

	alarm(SEND_STALL_S + SEND_GRACE_S);
	while (length > 0) {
		ssize_t sent = send(fastcgi->connection, bytes, length, MSG_NOSIGNAL);

		if (sent == -1 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent == -1 && poll(&room, 1, deadline_left_ms(deadline)) == 0)
			return false;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
	return true;
}

static unsigned char *
put_header(const struct fastcgi *fastcgi, unsigned char *at, enum record_type type, size_t length)
{
	const unsigned char header[HEADER_BYTES] = { VERSION, (unsigned char)type, fastcgi->id >> 8 & 255, fastcgi->id & 255,
		length >> 8 & 255, length & 255, 0, 0 };

	memcpy(at, header, sizeof(header));
	return at + sizeof(header);
}

static unsigned char *
put_end(const struct fastcgi *fastcgi, unsigned char *at, enum protocol_status status)
{
	const unsigned char body[8] = { [4] = (unsigned char)status };

	at = put_header(fastcgi, at, END_REQUEST, sizeof(body));
	memcpy(at, body, sizeof(body));
	return at + sizeof(body);
}

/* ---- receiving ---------------------------------------------------------------------- */

static bool
begin(struct fastcgi *fastcgi, const struct record *record, struct failure *why)
{
	unsigned char end[END_BYTES];
	unsigned role;

	if (record->length != 8 || record->id == 0)
		return fail(why, FAIL_BAD_REQUEST, "a malformed begin of a request");
	fastcgi->id = record->id;
	fastcgi->expected = PARAMS;
	role = (unsigned)record->content[0] << 8 | record->content[1];
	if (role == ROLE_RESPONDER)
		return true;
	put_end(fastcgi, end, UNKNOWN_ROLE);
	(void)send_bytes(fastcgi, end, sizeof(end));
	return fail(why, FAIL_BAD_REQUEST, "role %u, which is not that of a responder", role);
}

static bool
add_parameters(struct fastcgi *fastcgi, const struct record *record, struct failure *why)
{
	if (record->length == 0) {
		fastcgi->expected = STDIN;
		return true;
	}
	if (record->length > PARAMETERS_MAX - fastcgi->parameters_length)
		return fail(why, FAIL_BAD_REQUEST, "more than %u bytes of parameters", PARAMETERS_MAX);
	memcpy(fastcgi->parameters + fastcgi->parameters_length, record->content, record->length);
	fastcgi->parameters_length += record->length;
	return true;
}

static bool
drop_input(struct fastcgi *fastcgi, const struct record *record, struct failure *why)
{
	if (record->length == 0)
		fastcgi->expected = 0;
	fastcgi->input_bytes += record->length;
	return fastcgi->input_bytes <= INPUT_MAX ||
	    fail(why, FAIL_BAD_REQUEST, "a body of more than %u bytes", INPUT_MAX);
}

static bool
take_record(struct fastcgi *fastcgi, const struct record *record, struct failure *why)
{
	if (record->type == ABORT_REQUEST)
		return fail(why, FAIL_BAD_REQUEST, "the web server aborted its request");
	if (record->type != fastcgi->expected)
		return fail(why, FAIL_BAD_REQUEST, "a record of type %u, not %u", record->type, fastcgi->expected);
	if (record->type == BEGIN_REQUEST)
		return begin(fastcgi, record, why);
	if (record->id != fastcgi->id)
		return fail(why, FAIL_BAD_REQUEST, "records of two requests on one connection");
	if (record->type == PARAMS)
		return add_parameters(fastcgi, record, why);
	return drop_input(fastcgi, record, why);
}

/* The first record in the buffer, when all of it is there. */
static bool
next_record(const struct fastcgi *fastcgi, struct record *record)
{
	const unsigned char *in = fastcgi->in;

	if (fastcgi->received < HEADER_BYTES)
		return false;
	record->type = in[1];
	record->id = (unsigned)in[2] << 8 | in[3];
	record->length = (size_t)in[4] << 8 | in[5];
	record->content = in + HEADER_BYTES;
	record->bytes = HEADER_BYTES + record->length + in[6];
	return fastcgi->received >= record->bytes;
}

static bool
take_records(struct fastcgi *fastcgi, struct failure *why)
{
	struct record record;

	while (fastcgi->expected != 0) {
		if (fastcgi->received > 0 && fastcgi->in[0] != VERSION)
			return fail(why, FAIL_BAD_REQUEST, "this is no FastCGI");
		if (!next_record(fastcgi, &record))
			return true;
		if (!take_record(fastcgi, &record, why))
			return false;
		fastcgi->received -= record.bytes;
		memmove(fastcgi->in, fastcgi->in + record.bytes, fastcgi->received);
	}
	return true;
}

static bool
receive_bytes(struct fastcgi *fastcgi, struct deadline deadline, struct failure *why)
{
	struct pollfd more = { .fd = fastcgi->connection, .events = POLLIN };
	bool is_new = fastcgi->received == 0 && fastcgi->expected == BEGIN_REQUEST;
	ssize_t got = recv(fastcgi->connection, fastcgi->in + fastcgi->received, RECORD_MAX - fastcgi->received, 0);

	if (got > 0) {
		fastcgi->received += (size_t)got;
		return true;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		return fail(why, is_new ? FAIL_ABANDONED : FAIL_BAD_REQUEST, "the peer left in mid-request");
	return poll(&more, 1, deadline_left_ms(deadline)) != 0 ||
	    fail(why, FAIL_TIMEOUT, "the request did not come in time, only %zu bytes of it",
	    fastcgi->parameters_length + fastcgi->input_bytes + fastcgi->received);
}

bool
fastcgi_receive(struct fastcgi *fastcgi, struct deadline deadline, struct failure *why)
{
	while (fastcgi->expected != 0)
		/* One that says something all the time has no more time than others. */
		if ((deadline_has_passed(deadline) && !fail(why, FAIL_TIMEOUT, "the request came too slowly")) ||
		    !receive_bytes(fastcgi, deadline, why) || !take_records(fastcgi, why))
			return false;
	return true;
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
new_request_id(struct arena *arena)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];

	CHECK(getrandom(random, sizeof(random), 0) == sizeof(random));
	hex_print(random, sizeof(random), hex);
	return arena_copy_string(arena, hex);
}

/* One or four bytes.  What does not fit is cut: the rest of the parameters is lost. */
static size_t
cut_length(struct span *text)
{
	const unsigned char *at = (const unsigned char *)text->at;
	size_t bytes = text->length > 0 && at[0] >= 0x80 ? 4 : 1, length;

	if (text->length < bytes)
		return text->length = 0;
	length = bytes == 1 ? at[0] :
	    (size_t)(at[0] & 0x7f) << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	*text = span_range(text->at + bytes, text->length - bytes);
	return length;
}

static struct span
cut_bytes(struct span *text, size_t length)
{
	struct span bytes = span_range(text->at, length < text->length ? length : text->length);

	*text = span_range(text->at + bytes.length, text->length - bytes.length);
	return bytes;
}

static void
read_parameter(struct request *request, struct span name, struct span value, struct span *given_id)
{
	const struct {
		const char *name;
		struct span *value;
	} wanted[] = {
		{ "REQUEST_METHOD", &request->method },
		{ "REQUEST_URI", &request->target },
		{ "HTTP_ACCEPT", &request->fields[FIELD_ACCEPT] },
		{ "HTTP_SAVE_DATA", &request->fields[FIELD_SAVE_DATA] },
		{ "HTTP_SEC_CH_WIDTH", &request->fields[FIELD_SEC_CH_WIDTH] },
		{ "HTTP_WIDTH", &request->fields[FIELD_WIDTH] },
		{ "HTTP_SEC_CH_DPR", &request->fields[FIELD_SEC_CH_DPR] },
		{ "HTTP_DPR", &request->fields[FIELD_DPR] },
		{ "HTTP_IF_NONE_MATCH", &request->if_none_match },
		{ "HTTP_IF_MATCH", &request->if_match },
		{ "REMOTE_ADDR", &request->remote_address },
		{ "HTTP_X_REQUEST_ID", given_id },
	};

	/* Texts end in NUL for who prints them, and at the first NUL. */
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (span_equals(name, wanted[i].name))
			*wanted[i].value = span_of(arena_copy_bytes(request->arena, value.at, value.length));
	if (span_equals(name, "HTTP_IF_MATCH") || span_equals(name, "HTTP_IF_RANGE") ||
	    span_equals(name, "HTTP_IF_UNMODIFIED_SINCE"))
		request->has_precondition = true;
	else if (span_equals(name, "VITRINE_SEND") && span_equals(value, "body"))
		request->needs_body = true;
}

static void
read_parameters(struct request *request, struct span parameters)
{
	struct span given_id = { NULL, 0 };

	while (parameters.length > 0) {
		size_t name_length = cut_length(&parameters), value_length = cut_length(&parameters);
		struct span name = cut_bytes(&parameters, name_length), value = cut_bytes(&parameters, value_length);

		if (name.length == name_length && value.length == value_length)
			read_parameter(request, name, value, &given_id);
	}
	request->is_head = span_equals(request->method, "HEAD");
	request->id = request_id_is_valid(given_id) ? given_id.at : new_request_id(request->arena);
}

void
fastcgi_read(const struct fastcgi *fastcgi, struct arena *arena, struct request *request)
{
	memset(request, 0, sizeof(*request));
	request->arena = arena;
	request->started_us = monotonic_us();
	request->connection = fastcgi->connection;
	read_parameters(request, span_range(fastcgi->parameters, fastcgi->parameters_length));
}

/* ---- the answer --------------------------------------------------------------------- */

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

/* With the end of the request behind it, if this is the last piece. */
static bool
send_piece(struct fastcgi *fastcgi, bool is_last)
{
	unsigned char *end = fastcgi->out;

	if (fastcgi->piece > 0)
		end = put_header(fastcgi, end, STDOUT, fastcgi->piece) + fastcgi->piece;
	if (is_last) {
		end = put_header(fastcgi, end, STDOUT, 0);
		end = put_end(fastcgi, end, REQUEST_COMPLETE);
	}
	fastcgi->piece = 0;
	return send_bytes(fastcgi, fastcgi->out, (size_t)(end - fastcgi->out));
}

static bool
add_bytes(struct fastcgi *fastcgi, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t room = PIECE_MAX - fastcgi->piece, fits = length < room ? length : room;

		if (room == 0) {
			if (!send_piece(fastcgi, false))
				return false;
			continue;
		}
		memcpy(fastcgi->out + HEADER_BYTES + fastcgi->piece, bytes, fits);
		fastcgi->piece += fits;
		bytes += fits;
		length -= fits;
	}
	return true;
}

static bool
add_text(struct fastcgi *fastcgi, const char *text)
{
	return add_bytes(fastcgi, text, strlen(text));
}

static bool
add_head(struct fastcgi *fastcgi, const struct request *request, const struct response *response)
{
	/* Always a Status: without one Apache judges conditions by itself. */
	bool was_added = add_text(fastcgi, arena_printf(request->arena, "Status: %u %s\r\n", response->status,
	    status_phrase(response->status)));

	for (unsigned i = 0; i < response->header_count; i++)
		was_added = was_added && add_text(fastcgi, response->headers[i].name) && add_text(fastcgi, ": ") &&
		    add_text(fastcgi, response->headers[i].value) && add_text(fastcgi, "\r\n");
	return was_added && add_text(fastcgi, "\r\n");
}

/* A file that is shorter than was announced must not look complete: no end is sent. */
static bool
add_file(struct fastcgi *fastcgi, const struct response *response, uint64_t *sent)
{
	while (*sent < response->file_bytes) {
		uint64_t left = response->file_bytes - *sent;
		size_t room = PIECE_MAX - fastcgi->piece;
		ssize_t got = pread(response->file_fd, fastcgi->out + HEADER_BYTES + fastcgi->piece,
		    left < room ? (size_t)left : room, (off_t)*sent);

		if (got <= 0)
			return false;
		fastcgi->piece += (size_t)got;
		*sent += (uint64_t)got;
		if (fastcgi->piece == PIECE_MAX && !send_piece(fastcgi, false))
			return false;
	}
	return true;
}

static bool
add_body(struct fastcgi *fastcgi, const struct request *request, const struct response *response, uint64_t *sent)
{
	if (request->is_head || response->is_sent_by_server)
		return true;
	if (response->file_fd != -1)
		return add_file(fastcgi, response, sent);
	*sent = response->body.length;
	return add_bytes(fastcgi, response->body.at, response->body.length);
}

bool
fastcgi_send(struct fastcgi *fastcgi, const struct request *request, const struct response *response,
    uint64_t *sent)
{
	*sent = 0;
	if (add_head(fastcgi, request, response) && add_body(fastcgi, request, response, sent) &&
	    send_piece(fastcgi, true))
		return true;
	shutdown(fastcgi->connection, SHUT_RDWR);
	return false;
}
