/*
 * fuzz_http_answer - whatever a server sends, until it hangs up, as the answer to a GET.
 *
 * What counts as answered is complete: as long as Content-Length says, or in chunks that end; it is in the
 * file, and no longer than allowed.
 */
#include "base/check.h"
#include "origin/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { BODY_MAX = 4096, URL_MAX = 64, REQUEST_MAX = 4096, PATIENCE_MS = 5000 };

static int listener;
static char url[URL_MAX];
static struct http_client *client;
static struct span answer;	/* the server's next one */
static sem_t is_served;		/* the server has left it alone */

/* ---- the server ---------------------------------------------------------------------- */

/* False when the client has gone. */
static bool
read_request(int connection)
{
	char request[REQUEST_MAX];
	size_t length = 0;
	ssize_t got;

	while (length < 4 || memcmp(request + length - 4, "\r\n\r\n", 4) != 0) {
		got = read(connection, request + length, sizeof(request) - length);
		if (got <= 0)
			return false;
		length += (size_t)got;
	}
	return true;
}

static void *
serve(void *unused)
{
	sigset_t all;
	size_t sent;
	ssize_t got;
	int connection;

	/* libFuzzer's clock is for the other thread. */
	CHECK(sigfillset(&all) == 0 && pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
	while ((connection = accept(listener, NULL, NULL)) != -1) {
		if (read_request(connection))
			for (sent = 0; sent < answer.length; sent += (size_t)got)
				if ((got = write(connection, answer.at + sent, answer.length - sent)) <= 0)
					break;
		close(connection);
		CHECK(sem_post(&is_served) == 0);
	}
	return unused;
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	struct http_client_config config = {
		.tls_ca = "", .connect_timeout_ms = PATIENCE_MS, .stall_timeout_ms = PATIENCE_MS,
	};
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	struct failure why = { 0 };
	pthread_t server;

	(void)count, (void)arguments;
	signal(SIGPIPE, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(listener != -1 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
	client = http_client_open(&config, &why);
	CHECK(client != NULL && sem_init(&is_served, 0, 0) == 0 && pthread_create(&server, NULL, serve, NULL) == 0);
	return 0;
}

/* ---- the client ---------------------------------------------------------------------- */

static void
check_answered(const struct http_response *response, int sink)
{
	struct span header;
	uint64_t length;
	struct stat file;

	CHECK(fstat(sink, &file) == 0);
	CHECK(response->headers.length <= HTTP_HEADERS_MAX && !response->headers.was_cut);
	if (response->status != 200) {
		CHECK(response->body.length <= HTTP_ERROR_BODY_MAX);
		return;
	}
	CHECK(response->bytes <= BODY_MAX && (uint64_t)file.st_size == response->bytes);
	if (!http_response_header(response, "Transfer-Encoding", &header))
		CHECK(http_response_length(response, &length) && length == response->bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int sink = memfd_create("sink", MFD_CLOEXEC);
	struct http_request request = {
		.method = HTTP_GET, .url = url, .sink_fd = sink, .max_bytes = BODY_MAX, .needs_fresh_connection = true,
	};
	struct arena *arena = arena_new();
	struct http_response response = { 0 };
	enum http_outcome outcome;

	CHECK(sink != -1);
	answer = span_range((const char *)bytes, size);
	outcome = http_client_send(client, &request, deadline_in_ms(PATIENCE_MS), arena, &response);
	CHECK(outcome != HTTP_TOO_LATE && outcome != HTTP_STALLED && outcome != HTTP_NO_CONNECTION);
	if (outcome == HTTP_ANSWERED)
		check_answered(&response, sink);
	else
		CHECK(response.reason[0] != '\0');
	arena_free(arena);
	close(sink);
	/* Each request has one connection. */
	while (sem_wait(&is_served) == -1)
		CHECK(errno == EINTR);
	return 0;
}
