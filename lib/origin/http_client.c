/*
 * BUGS: libcurl 7.88 opens the descriptors of its own wake-up without
 * close-on-exec.  They give nothing away, but who executes a program should
 * close what it does not name (close_range).
 */
#include "origin/http_client.h"

#include "base/check.h"
#include "base/file.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RECEIVE_BUFFER = 256 * 1024,
	CONNECTION_LIFETIME_S = 300,	/* so that we follow the DNS of S3 */
	/* At stalls and at the vigil, which must not be asked twice as late as it wants
	 * because two clocks do not meet; curl's own clocks wake us when they need it. */
	LOOK_EVERY_MS = VIGIL_MS / 4
};

struct http_client {
	CURLM *multi;	/* keeps connections and names */
	CURL *easy;	/* of one request */
	char *tls_ca;
	unsigned connect_timeout_ms, stall_timeout_ms;
	char error[CURL_ERROR_SIZE];
};

/* Why a callback of ours stopped the transfer. */
enum stop { STOP_NONE, STOP_TOO_LARGE, STOP_ERROR_TOO_LARGE, STOP_HEADERS_TOO_LARGE, STOP_FILE };

struct transfer {
	struct http_client *client;
	const struct http_request *request;
	struct http_response *response;
	struct deadline deadline;
	uint64_t sent;
	size_t header_bytes;	/* of all heads and trailers: a server can send "100 Continue" for ever */
	bool headers_are_complete;
	enum stop stop;
	/* The stretch of time over which the speed is measured. */
	struct deadline window_end;
	uint64_t window_start_bytes;
};

struct http_client *
http_client_open(const struct http_client_config *config, struct failure *why)
{
	struct http_client *client;

	/* The handshake would only say that something is wrong with a certificate. */
	if (config->tls_ca[0] != '\0' && access(config->tls_ca, R_OK) == -1) {
		fail(why, FAIL_INTERNAL, "cannot read tls_ca %s: %s", config->tls_ca, strerror(errno));
		return NULL;
	}
	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);	/* counts its calls */
	client = calloc(1, sizeof(*client));
	CHECK(client != NULL);
	client->multi = curl_multi_init();
	client->tls_ca = strdup(config->tls_ca);
	CHECK(client->multi != NULL && client->tls_ca != NULL);
	client->connect_timeout_ms = config->connect_timeout_ms;
	client->stall_timeout_ms = config->stall_timeout_ms;
	return client;
}

void
http_client_close(struct http_client *client)
{
	if (client == NULL)
		return;
	curl_multi_cleanup(client->multi);
	free(client->tls_ca);
	free(client);
	curl_global_cleanup();
}

/* ---- headers ------------------------------------------------------------------- */

static bool
next_header(struct span *rest, struct span *name, struct span *value)
{
	while (rest->length > 0) {
		struct span line = span_cut(rest, '\n');

		if (line.length > 0 && line.at[line.length - 1] == '\r')
			line.length--;
		*value = line;
		*name = span_cut(value, ':');
		if (value->at != NULL) {
			*value = span_trim(*value);
			return true;
		}
	}
	return false;
}

bool
http_response_header(const struct http_response *response, const char *name, struct span *value)
{
	struct span rest = text_span(&response->headers), found;

	while (next_header(&rest, &found, value))
		if (span_equals_ignoring_case(found, name))
			return true;
	return false;
}

bool
http_response_length(const struct http_response *response, uint64_t *length)
{
	struct span rest = text_span(&response->headers), name, value;
	bool is_known = false;

	while (next_header(&rest, &name, &value)) {
		uint64_t number;

		if (!span_equals_ignoring_case(name, "content-length"))
			continue;
		if (!span_to_u64(value, 0, INT64_MAX, &number) || (is_known && number != *length))
			return false;
		*length = number;
		is_known = true;
	}
	return is_known;
}

static bool
is_chunked(const struct http_response *response)
{
	struct span value;

	return http_response_header(response, "transfer-encoding", &value) &&
	    span_equals_ignoring_case(value, "chunked");
}

static unsigned
status_of(struct span status_line)
{
	struct span rest = span_trim(status_line);
	uint64_t status;

	span_cut(&rest, ' ');
	if (rest.length < 3 || !span_to_u64(span_range(rest.at, 3), 100, 999, &status))
		return 0;
	return (unsigned)status;
}

/* ---- what curl calls ----------------------------------------------------------- */

static size_t
stop(struct transfer *transfer, enum stop why)
{
	transfer->stop = why;
	return 0;	/* anything but the length given: curl ends the transfer */
}

static size_t
receive_header(char *bytes, size_t one, size_t length, void *state)
{
	struct transfer *transfer = state;
	struct http_response *response = transfer->response;
	struct span line = { bytes, one * length };
	uint64_t announced;

	transfer->header_bytes += line.length;
	if (transfer->header_bytes > HTTP_HEADERS_MAX)
		return stop(transfer, STOP_HEADERS_TOO_LARGE);
	if (transfer->headers_are_complete && response->status >= 200)
		return line.length;	/* a trailer after the chunks: not asked for */
	if (span_starts_with(line, "HTTP/")) {
		/* Also after "100 Continue": what counts is the last one. */
		response->status = status_of(line);
		response->headers.length = 0;
		transfer->headers_are_complete = false;
		return line.length;
	}
	text_add_bytes(&response->headers, line.at, line.length);
	if (!span_equals(line, "\r\n") && !span_equals(line, "\n"))
		return line.length;
	transfer->headers_are_complete = true;
	if (response->status == 200 && transfer->request->method == HTTP_GET &&
	    http_response_length(response, &announced) && announced > transfer->request->max_bytes)
		return stop(transfer, STOP_TOO_LARGE);
	return line.length;
}

static size_t
receive_body(char *bytes, size_t one, size_t count, void *state)
{
	struct transfer *transfer = state;
	struct http_response *response = transfer->response;
	size_t length = one * count;

	response->bytes += length;
	if (response->status != 200) {
		text_add_bytes(&response->body, bytes, length);
		return response->body.length >= HTTP_ERROR_BODY_MAX ? stop(transfer, STOP_ERROR_TOO_LARGE)
								    : length;
	}
	if (response->bytes > transfer->request->max_bytes)
		return stop(transfer, STOP_TOO_LARGE);
	if (transfer->request->sink_fd == -1)
		text_add_bytes(&response->body, bytes, length);
	else if (!file_write_all(transfer->request->sink_fd, bytes, length))
		return stop(transfer, STOP_FILE);
	return length;
}

static size_t
send_body(char *bytes, size_t one, size_t count, void *state)
{
	struct transfer *transfer = state;
	uint64_t left = transfer->request->body_bytes - transfer->sent;
	size_t wanted = one * count;
	ssize_t got;

	if (wanted > left)
		wanted = (size_t)left;
	got = wanted == 0 ? 0
			  : pread(transfer->request->body_fd, bytes, wanted, (off_t)transfer->sent);
	if (got == -1 || (got == 0 && wanted > 0)) {
		transfer->stop = STOP_FILE;	/* also when the file has become shorter */
		return CURL_READFUNC_ABORT;
	}
	transfer->sent += (uint64_t)got;
	return (size_t)got;
}

/* curl goes back to the start when a kept connection turns out to be closed. */
static int
seek_body(void *state, curl_off_t offset, int origin)
{
	struct transfer *transfer = state;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->request->body_bytes)
		return CURL_SEEKFUNC_CANTSEEK;
	transfer->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static curl_socket_t
open_socket(void *state, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)state;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- one request ---------------------------------------------------------------- */

/* Every option is one that this version knows, so a refusal is a bug of ours. */
#define SET(option, value) CHECK(curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static void
set_method(CURL *easy, struct transfer *transfer)
{
	switch (transfer->request->method) {
	case HTTP_GET:
		SET(CURLOPT_HTTPGET, 1L);
		break;
	case HTTP_HEAD:
		SET(CURLOPT_NOBODY, 1L);
		break;
	case HTTP_PUT:
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->request->body_bytes);
		SET(CURLOPT_READFUNCTION, send_body);
		SET(CURLOPT_READDATA, transfer);
		SET(CURLOPT_SEEKFUNCTION, seek_body);
		SET(CURLOPT_SEEKDATA, transfer);
		break;
	}
}

static void
set_limits(CURL *easy, struct transfer *transfer)
{
	struct deadline connected =
	    deadline_within_ms(transfer->deadline, transfer->client->connect_timeout_ms);
	long left = deadline_left_ms(transfer->deadline), connect = deadline_left_ms(connected);

	/* 0 would mean "for ever" and "300 seconds". */
	SET(CURLOPT_TIMEOUT_MS, left > 0 ? left : 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, connect > 0 ? connect : 1L);
	/* Without it the end of a request waits for getaddrinfo(), which knows no deadline. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (transfer->client->tls_ca[0] != '\0') {
		SET(CURLOPT_CAINFO, transfer->client->tls_ca);
		SET(CURLOPT_CAPATH, NULL);
	}
}

static void
set_request(CURL *easy, struct transfer *transfer, struct curl_slist *headers)
{
	set_limits(easy, transfer);
	set_method(easy, transfer);
	SET(CURLOPT_URL, transfer->request->url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "vitrine");
	SET(CURLOPT_ERRORBUFFER, transfer->client->error);
	SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFETIME_S);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_HEADERFUNCTION, receive_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, receive_body);
	SET(CURLOPT_WRITEDATA, transfer);
	if (transfer->request->needs_fresh_connection) {
		SET(CURLOPT_FRESH_CONNECT, 1L);
		SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	}
}

static bool
is_connected(CURL *easy)
{
	curl_off_t before_transfer_us = 0;

	CHECK(curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &before_transfer_us) == CURLE_OK);
	return before_transfer_us > 0;
}

/* How long the transfer may still go without progress; 0: it is dead.  Our
 * own, because curl's limits count whole seconds and leave out the time before
 * the first byte. */
static int
patience_left_ms(struct transfer *transfer)
{
	unsigned window_ms = transfer->client->stall_timeout_ms;
	uint64_t enough = (uint64_t)window_ms * HTTP_STALL_BYTES_PER_SECOND / 1000;
	uint64_t bytes = transfer->response->bytes + transfer->sent;

	if (bytes - transfer->window_start_bytes > enough || !is_connected(transfer->client->easy)) {
		transfer->window_end = deadline_in_ms(window_ms);
		transfer->window_start_bytes = bytes;
	}
	return deadline_left_ms(transfer->window_end);
}

/* Runs until curl is done: true with its result; false when we gave it up. */
static bool
run(struct transfer *transfer, CURLcode *result)
{
	struct http_client *client = transfer->client;
	int running = 1, queued, patience_ms;
	CURLMsg *message;

	transfer->window_end = deadline_in_ms(client->stall_timeout_ms);
	for (;;) {
		CHECK(curl_multi_perform(client->multi, &running) == CURLM_OK);
		if (running == 0)
			break;
		patience_ms = patience_left_ms(transfer);
		if (patience_ms == 0 || deadline_has_passed(transfer->deadline))
			return false;
		if (patience_ms > LOOK_EVERY_MS)
			patience_ms = LOOK_EVERY_MS;
		CHECK(curl_multi_poll(client->multi, NULL, 0, patience_ms, NULL) == CURLM_OK);
	}
	message = curl_multi_info_read(client->multi, &queued);
	CHECK(message != NULL && message->msg == CURLMSG_DONE);
	*result = message->data.result;
	return true;
}

static enum http_outcome
because(struct transfer *transfer, enum http_outcome outcome, const char *reason)
{
	snprintf(transfer->response->reason, HTTP_REASON_MAX, "%.*s", HTTP_REASON_MAX - 1, reason);
	return outcome;
}

static enum http_outcome
outcome_of_stop(struct transfer *transfer)
{
	switch (transfer->stop) {
	case STOP_TOO_LARGE:
		return because(transfer, HTTP_TOO_LARGE, "answer is too large");
	case STOP_ERROR_TOO_LARGE:
		return because(transfer, HTTP_BROKEN, "text of an error is too large");
	case STOP_HEADERS_TOO_LARGE:
		return because(transfer, HTTP_BROKEN, "headers are too large");
	default:
		return because(transfer, HTTP_FILE_FAILED,
		    transfer->request->method == HTTP_PUT ? "cannot read the file to send"
							  : "cannot write what arrives");
	}
}

static enum http_outcome
outcome_of_failure(struct transfer *transfer, CURLcode result)
{
	const char *error = transfer->client->error;
	const char *reason = error[0] != '\0' ? error : curl_easy_strerror(result);

	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return because(transfer, HTTP_NO_CONNECTION, reason);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return because(transfer, HTTP_NOT_TRUSTED, reason);
	case CURLE_OPERATION_TIMEDOUT:
		if (is_connected(transfer->client->easy) || deadline_has_passed(transfer->deadline))
			return because(transfer, HTTP_TOO_LATE, reason);
		return because(transfer, HTTP_NO_CONNECTION, reason);
	default:
		return because(transfer, HTTP_BROKEN, reason);
	}
}

/* curl is content; now it is our turn to look. */
static enum http_outcome
outcome_of_answer(struct transfer *transfer)
{
	struct http_response *response = transfer->response;
	uint64_t announced;

	if (response->status < 200)
		return because(transfer, HTTP_BROKEN, "no valid status");
	if (transfer->request->method != HTTP_GET || response->status != 200 || is_chunked(response))
		return HTTP_ANSWERED;
	if (!http_response_length(response, &announced))
		return because(transfer, HTTP_BROKEN, "answer does not tell its length");
	if (announced != response->bytes)
		return because(transfer, HTTP_BROKEN, "answer has not the length it tells");
	return HTTP_ANSWERED;
}

static enum http_outcome
perform(struct transfer *transfer)
{
	struct http_client *client = transfer->client;
	CURLcode result = CURLE_OK;
	bool is_done;

	CHECK(curl_multi_add_handle(client->multi, client->easy) == CURLM_OK);
	is_done = run(transfer, &result);
	CHECK(curl_multi_remove_handle(client->multi, client->easy) == CURLM_OK);
	if (!is_done && deadline_has_passed(transfer->deadline))
		return because(transfer, HTTP_TOO_LATE, "no time left");
	if (!is_done)
		return because(transfer, HTTP_STALLED, "transfer stalled");
	if (transfer->stop != STOP_NONE)
		return outcome_of_stop(transfer);
	if (result != CURLE_OK)
		return outcome_of_failure(transfer, result);
	return outcome_of_answer(transfer);
}

/* A second try must not find what the first has left. */
static bool
sink_is_emptied(int fd)
{
	return fd == -1 || (ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
}

enum http_outcome
http_client_send(struct http_client *client, const struct http_request *request,
    struct deadline deadline, struct arena *arena, struct http_response *response)
{
	struct transfer transfer = {
		.client = client, .request = request, .response = response, .deadline = deadline,
	};
	struct curl_slist *headers = NULL;
	enum http_outcome outcome;

	*response = (struct http_response){ 0 };
	text_init(&response->headers, arena, HTTP_HEADERS_MAX);
	text_init(&response->body, arena,
	    request->sink_fd == -1 && request->max_bytes > HTTP_ERROR_BODY_MAX ? request->max_bytes
									       : HTTP_ERROR_BODY_MAX);
	if (deadline_has_passed(deadline))
		return because(&transfer, HTTP_TOO_LATE, "no time left");
	if (request->method == HTTP_GET && !sink_is_emptied(request->sink_fd))
		return because(&transfer, HTTP_FILE_FAILED, strerror(errno));
	client->error[0] = '\0';
	for (size_t i = 0; i < request->header_count; i++) {
		headers = curl_slist_append(headers, request->headers[i]);
		CHECK(headers != NULL);
	}
	/* Never the same for two requests: before 8.1.1, an answer whose first header is a folded line was
	 * appended to the last header of the answer before, which was freed (curl issue 11101). */
	client->easy = curl_easy_init();
	CHECK(client->easy != NULL);
	set_request(client->easy, &transfer, headers);
	outcome = perform(&transfer);
	curl_easy_cleanup(client->easy);
	curl_slist_free_all(headers);
	return outcome;
}
