/*
 * load - asks a web server what a file says, and writes down how long each answer took.
 *
 *	load PORT CONNECTIONS RATE SECONDS < REQUESTS > ANSWERS
 *
 * A line of REQUESTS is "METHOD PATH ACCEPT", one of ANSWERS "NUMBER STATUS MICROSECONDS BYTES"
 * with the number of the request; a status of 0 is a connection that ended before the answer did.
 *
 * RATE > 0: an open load.  Request i is due i / RATE seconds after the start, whether or not the last
 * answer has come, and its time counts from then, also while it waits for a connection (so a server
 * that stands still is not spared: "coordinated omission").  It ends with the requests.
 * RATE = 0: each connection asks the next one as soon as it has its answer, around and around, for
 * SECONDS.  RATE = -1: the same, but once through the requests.
 *
 * Connections are to 127.0.0.1, are opened beforehand and stay open.
 */
#include "base/check.h"
#include "base/deadline.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 1024,
	REQUESTS_MAX = 1 << 20,
	REQUEST_BYTES = 2048,
	HEAD_BYTES = 16384,
	ANSWERS_TAKE_S = 30		/* after the last request is due */
};

struct request {
	char *bytes;
	size_t length;
	bool is_head;
};

struct connection {
	int fd;
	bool is_busy;
	bool is_last;			/* "Connection: close": nginx, after a thousand requests */
	size_t request;			/* number of the one that it waits for */
	int64_t due_us;
	char head[HEAD_BYTES];
	size_t got;			/* of the head, while it has not ended */
	int status;
	long long body_bytes, left;	/* left: -1 while the head has not ended */
};

struct load {
	unsigned short port;
	long rate, seconds;
	struct request *requests;
	size_t request_count;
	struct connection *connections;
	unsigned connection_count, busy_count;
	int epoll;
	size_t next;			/* request that is sent next */
	int64_t started_us;
};

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- requests ------------------------------------------------------------------------------ */

static void
read_requests(struct load *load)
{
	char line[REQUEST_BYTES], method[8], path[REQUEST_BYTES / 2], accept[REQUEST_BYTES / 4];

	load->requests = calloc(REQUESTS_MAX, sizeof(*load->requests));
	CHECK(load->requests != NULL);
	while (load->request_count < REQUESTS_MAX && fgets(line, sizeof(line), stdin) != NULL) {
		struct request *request = &load->requests[load->request_count++];
		int length;

		if (sscanf(line, "%7s %1023s %511[^\n]", method, path, accept) != 3)
			give_up("a line is METHOD PATH ACCEPT");
		length = asprintf(&request->bytes, "%s %s HTTP/1.1\r\nHost: bench\r\nAccept: %s\r\n\r\n", method, path,
		    accept);
		CHECK(length > 0);
		request->length = (size_t)length;
		request->is_head = strcmp(method, "HEAD") == 0;
	}
	if (load->request_count == 0)
		give_up("no requests");
}

/* ---- connections ----------------------------------------------------------------------------- */

static void
open_connection(struct load *load, struct connection *connection)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
	int on = 1;

	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd == -1 || connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		give_up("cannot connect");
	CHECK(setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	CHECK(fcntl(connection->fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0);
	connection->is_busy = connection->is_last = false;
}

static void
finish(struct load *load, struct connection *connection, int status)
{
	printf("%zu %d %lld %lld\n", connection->request, status, (long long)(monotonic_us() - connection->due_us),
	    connection->body_bytes);
	connection->is_busy = false;
	load->busy_count--;
}

static void
replace(struct load *load, struct connection *connection)
{
	if (connection->is_busy)
		finish(load, connection, 0);
	close(connection->fd);
	open_connection(load, connection);
}

static void
ask(struct load *load, struct connection *connection, int64_t due_us)
{
	const struct request *request = &load->requests[load->next % load->request_count];

	connection->request = load->next++ % load->request_count;
	connection->due_us = due_us;
	connection->got = 0;
	connection->left = -1;
	connection->body_bytes = 0;
	connection->is_busy = true;
	load->busy_count++;
	/* A request fits into an empty socket. */
	if (send(connection->fd, request->bytes, request->length, MSG_NOSIGNAL) != (ssize_t)request->length)
		replace(load, connection);
}

/* ---- answers ------------------------------------------------------------------------------------- */

/* Of a head that is complete; RFC 9112 section 6.3.  Servers here always tell a length. */
static void
read_head(const struct load *load, struct connection *connection)
{
	const char *length = strcasestr(connection->head, "\r\nContent-Length:");

	connection->status = (int)strtol(connection->head + strcspn(connection->head, " "), NULL, 10);
	connection->body_bytes = length == NULL ? 0 : strtoll(length + strlen("\r\nContent-Length:"), NULL, 10);
	connection->is_last = strcasestr(connection->head, "\r\nConnection: close") != NULL;
	connection->left = load->requests[connection->request].is_head || connection->status == 304 ? 0 :
	    connection->body_bytes;
}

/* False when there is nothing more to read now. */
static bool
read_some(struct load *load, struct connection *connection)
{
	static char body[1 << 16];
	bool is_head = connection->left == -1;
	char *into = is_head ? connection->head + connection->got : body;
	size_t room = is_head ? HEAD_BYTES - 1 - connection->got : sizeof(body);
	ssize_t got = recv(connection->fd, into, room, 0);
	char *end;

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0 || !connection->is_busy) {
		replace(load, connection);
		return false;
	}
	if (!is_head) {
		connection->left -= got;
		return connection->left > 0;
	}
	connection->got += (size_t)got;
	connection->head[connection->got] = '\0';
	end = strstr(connection->head, "\r\n\r\n");
	if (end == NULL)
		return true;
	end[2] = '\0';
	read_head(load, connection);
	connection->left -= connection->head + connection->got - (end + 4);
	return connection->left > 0;
}

static void
read_answer(struct load *load, struct connection *connection)
{
	while (read_some(load, connection))
		;
	if (!connection->is_busy || connection->left != 0)
		return;
	finish(load, connection, connection->status);
	if (connection->is_last)
		replace(load, connection);
}

/* ---- time -------------------------------------------------------------------------------------------- */

static int64_t
due_us(const struct load *load)
{
	return load->started_us + (int64_t)((double)load->next * 1e6 / (double)load->rate);
}

static bool
is_over(const struct load *load, int64_t now_us)
{
	if (load->rate == 0)
		return now_us >= load->started_us + load->seconds * 1000000;
	return load->next >= load->request_count && (load->busy_count == 0 ||
	    now_us > load->started_us + ANSWERS_TAKE_S * 1000000 +
	    (load->rate > 0 ? (int64_t)load->request_count * 1000000 / load->rate : load->seconds * 1000000));
}

/* Asks what is due on connections that are free; returns how long nothing will be, at most. */
static int
ask_what_is_due(struct load *load)
{
	for (unsigned i = 0; i < load->connection_count && load->busy_count < load->connection_count; i++) {
		int64_t now_us = monotonic_us();

		if (load->connections[i].is_busy)
			continue;
		if (load->rate != 0 && load->next >= load->request_count)
			break;
		if (load->rate > 0 && due_us(load) > now_us)
			return (int)((due_us(load) - now_us + 999) / 1000);
		ask(load, &load->connections[i], load->rate > 0 ? due_us(load) : now_us);
	}
	return 100;
}

static void
run(struct load *load)
{
	struct epoll_event events[64];

	load->started_us = monotonic_us();
	while (!is_over(load, monotonic_us())) {
		int wait_ms = ask_what_is_due(load);
		int count = epoll_wait(load->epoll, events, 64, wait_ms);

		if (count == -1 && errno != EINTR)
			give_up("epoll_wait");
		for (int i = 0; i < count; i++)
			read_answer(load, events[i].data.ptr);
	}
	for (unsigned i = 0; i < load->connection_count && load->rate != 0; i++)
		if (load->connections[i].is_busy)
			finish(load, &load->connections[i], 0);
}

int
main(int count, char **arguments)
{
	struct load load = { 0 };

	if (count != 5) {
		fprintf(stderr, "usage: load PORT CONNECTIONS RATE SECONDS < REQUESTS > ANSWERS\n");
		return 2;
	}
	load.port = (unsigned short)strtoul(arguments[1], NULL, 10);
	load.connection_count = (unsigned)strtoul(arguments[2], NULL, 10);
	load.rate = strtol(arguments[3], NULL, 10);
	load.seconds = strtol(arguments[4], NULL, 10);
	CHECK(load.connection_count >= 1 && load.connection_count <= CONNECTIONS_MAX);
	read_requests(&load);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	load.connections = calloc(load.connection_count, sizeof(*load.connections));
	CHECK(load.epoll != -1 && load.connections != NULL);
	for (unsigned i = 0; i < load.connection_count; i++)
		open_connection(&load, &load.connections[i]);
	run(&load);
	for (size_t i = 0; i < load.request_count; i++)
		free(load.requests[i].bytes);
	free(load.requests);
	free(load.connections);
	return 0;
}
