#include "peers/roll_call.h"

#include "base/deadline.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Starts connecting; -1 when that is known to be in vain. */
static int
start_connecting(const struct peer_address *peer)
{
	struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char port[6];
	int fd;

	snprintf(port, sizeof(port), "%u", (unsigned)peer->port);
	if (getaddrinfo(peer->host, port, &wanted, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, found->ai_addr, found->ai_addrlen) == -1 && errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static void
hang_up(struct pollfd *call)
{
	close(call->fd);
	call->fd = -1;	/* poll() passes over it */
}

/* The socket can be written: the connection stands, or has failed. */
static void
ask(struct pollfd *call)
{
	static const char question[] = "version\r\n";

	if (send(call->fd, question, sizeof(question) - 1, MSG_NOSIGNAL) == -1)
		hang_up(call);
	else
		call->events = POLLIN;
}

static bool
has_answered(int fd)
{
	static const char wanted[] = "VERSION ";
	char answer[64];

	/* A dozen bytes, sent by one write: they come in one piece or not at all. */
	return recv(fd, answer, sizeof(answer), 0) >= (ssize_t)sizeof(wanted) - 1 &&
	    memcmp(answer, wanted, sizeof(wanted) - 1) == 0;
}

unsigned
roll_call(const struct peer_list *list, unsigned timeout_ms)
{
	struct pollfd calls[PEERS_MAX];
	struct deadline deadline = deadline_in_ms(timeout_ms);
	unsigned alive = 0, open = 0;

	for (unsigned i = 0; i < list->count; i++) {
		calls[i] = (struct pollfd){ .fd = start_connecting(&list->peers[i]), .events = POLLOUT };
		open += calls[i].fd != -1;
	}
	while (open > 0 && !deadline_has_passed(deadline)) {
		if (poll(calls, list->count, deadline_left_ms(deadline)) == -1)
			continue;
		for (unsigned i = 0; i < list->count; i++) {
			if (calls[i].fd == -1 || calls[i].revents == 0)
				continue;
			if (calls[i].events == POLLOUT) {
				ask(&calls[i]);
			} else {
				alive += has_answered(calls[i].fd);
				hang_up(&calls[i]);
			}
			open -= calls[i].fd == -1;
		}
	}
	for (unsigned i = 0; i < list->count; i++)
		if (calls[i].fd != -1)
			hang_up(&calls[i]);
	return alive;
}
