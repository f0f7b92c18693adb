#include "peers/peer.h"

#include "base/check.h"
#include "base/deadline.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	KEY_MAX = 250,		/* protocol.txt, "Keys" */
	LINE_MAX_BYTES = 512,	/* of an answer; the longest is an error with its reason */
	COMMAND_MAX = KEY_MAX + 64,
	BYTES_PER_MS = 10000	/* a large value gets the time that 80 Mbit/s take in addition */
};

static const char value_end[] = "\r\nEND\r\n";
enum { VALUE_END_BYTES = sizeof(value_end) - 1 };

void
peer_init(struct peer *peer, const struct peer_address *address, unsigned connect_timeout_ms, unsigned timeout_ms)
{
	*peer = (struct peer){
		.address = address, .connect_timeout_ms = connect_timeout_ms, .timeout_ms = timeout_ms, .fd = -1
	};
}

static void
hang_up(struct peer *peer)
{
	if (peer->fd != -1)
		close(peer->fd);
	peer->fd = -1;
}

void
peer_release(struct peer *peer)
{
	hang_up(peer);
	resolver_release(&peer->resolver);
}

/* ---- connecting ---------------------------------------------------------------------- */

static bool
wait_for(int fd, short events, struct deadline deadline)
{
	struct pollfd socket = { .fd = fd, .events = events };
	int found;

	do
		found = poll(&socket, 1, deadline_left_ms(deadline));
	while (found == -1 && errno == EINTR);
	return found == 1;
}

static bool
is_connected(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

/* -1 when nobody is there. */
static int
connect_to(const char *address, uint16_t port, struct deadline deadline)
{
	const struct addrinfo wanted = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST
	};
	struct addrinfo *found;
	char service[6];
	int fd, on = 1;

	snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (getaddrinfo(address, service, &wanted, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		if (connect(fd, found->ai_addr, found->ai_addrlen) == -1 &&
		    (errno != EINPROGRESS || !wait_for(fd, POLLOUT, deadline) || !is_connected(fd))) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* Each address of the name gets its share of the time. */
static enum peer_outcome
connect_peer(struct peer *peer)
{
	struct deadline deadline = deadline_in_ms(peer->connect_timeout_ms);
	struct addresses addresses;
	struct failure why = { 0 };

	if (!resolver_find(&peer->resolver, peer->address->host, deadline, &addresses, &why))
		return why.kind == FAIL_TIMEOUT ? PEER_LATE : PEER_CUT;
	for (unsigned i = 0; i < addresses.count && peer->fd == -1; i++)
		peer->fd = connect_to(addresses.texts[i], peer->address->port,
		    deadline_within_ms(deadline, deadline_left_ms(deadline) / (int)(addresses.count - i)));
	if (peer->fd != -1)
		return PEER_FOUND;
	return deadline_has_passed(deadline) ? PEER_LATE : PEER_CUT;
}

/* Nothing may come from a peer that was asked nothing, not even its farewell. */
static bool
is_quiet(const struct peer *peer)
{
	struct pollfd socket = { .fd = peer->fd, .events = POLLIN | POLLRDHUP };

	return poll(&socket, 1, 0) == 0;
}

/* ---- asking -------------------------------------------------------------------------- */

static enum peer_outcome
send_all(const struct peer *peer, struct iovec *parts, int count, struct deadline deadline)
{
	while (count > 0) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)count };
		ssize_t sent = sendmsg(peer->fd, &message, MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && errno != EAGAIN)
			return PEER_CUT;
		if (sent == -1 && !wait_for(peer->fd, POLLOUT, deadline))
			return PEER_LATE;
		for (; sent > 0 && (size_t)sent >= parts->iov_len; parts++, count--)
			sent -= (ssize_t)parts->iov_len;
		if (sent > 0) {
			parts->iov_base = (char *)parts->iov_base + sent;
			parts->iov_len -= (size_t)sent;
		}
		while (count > 0 && parts->iov_len == 0)
			parts++, count--;
	}
	return PEER_FOUND;
}

/* Some bytes, at least one. */
static enum peer_outcome
receive(const struct peer *peer, char *at, size_t room, size_t *received, struct deadline deadline)
{
	for (;;) {
		ssize_t count;

		if (deadline_has_passed(deadline))
			return PEER_LATE;
		count = recv(peer->fd, at, room, 0);
		if (count > 0) {
			*received = (size_t)count;
			return PEER_FOUND;
		}
		if (count == 0 || (errno != EAGAIN && errno != EINTR))
			return PEER_CUT;
		if (errno == EAGAIN && !wait_for(peer->fd, POLLIN, deadline))
			return PEER_LATE;
	}
}

struct answer {
	char bytes[LINE_MAX_BYTES];
	size_t length;
	struct span line, rest;		/* without CR LF; what came behind it */
};

static enum peer_outcome
receive_line(const struct peer *peer, struct answer *answer, struct deadline deadline)
{
	char *end;

	answer->length = 0;
	do {
		size_t received;
		enum peer_outcome outcome;

		if (answer->length == sizeof(answer->bytes))
			return PEER_NONSENSE;
		outcome = receive(peer, answer->bytes + answer->length, sizeof(answer->bytes) - answer->length,
		    &received, deadline);
		if (outcome != PEER_FOUND)
			return outcome;
		answer->length += received;
		end = memmem(answer->bytes, answer->length, "\r\n", 2);
	} while (end == NULL);
	answer->line = span_range(answer->bytes, (size_t)(end - answer->bytes));
	answer->rest = span_range(end + 2, answer->length - answer->line.length - 2);
	return PEER_FOUND;
}

/* A command with its answering line. */
static enum peer_outcome
exchange_once(struct peer *peer, const struct iovec *parts, int count, struct answer *answer,
    struct deadline *deadline)
{
	struct iovec left[3];
	enum peer_outcome outcome = PEER_FOUND;
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += (left[i] = parts[i]).iov_len;
	if (peer->fd == -1)
		outcome = connect_peer(peer);
	*deadline = deadline_in_ms(peer->timeout_ms + (int64_t)(bytes / BYTES_PER_MS));
	if (outcome == PEER_FOUND)
		outcome = send_all(peer, left, count, *deadline);
	if (outcome == PEER_FOUND)
		outcome = receive_line(peer, answer, *deadline);
	if (outcome != PEER_FOUND)
		hang_up(peer);
	return outcome;
}

static enum peer_outcome
exchange(struct peer *peer, const struct iovec *parts, int count, struct answer *answer, struct deadline *deadline)
{
	enum peer_outcome outcome;
	bool was_connected;

	if (peer->fd != -1 && !is_quiet(peer))
		hang_up(peer);
	was_connected = peer->fd != -1;
	outcome = exchange_once(peer, parts, count, answer, deadline);
	if (outcome == PEER_CUT && was_connected)
		outcome = exchange_once(peer, parts, count, answer, deadline);
	return outcome;
}

static struct iovec
part_of(const char *at, size_t length)
{
	return (struct iovec){ (void *)at, length };
}

static bool
is_no_room(struct span line)
{
	return span_starts_with(line, "SERVER_ERROR ");
}

/* For answers of one line. */
static enum peer_outcome
ask(struct peer *peer, const struct iovec *parts, int count, const char *yes, const char *no)
{
	struct answer answer;
	struct deadline deadline;
	enum peer_outcome outcome = exchange(peer, parts, count, &answer, &deadline);

	if (outcome != PEER_FOUND)
		return outcome;
	if (answer.rest.length == 0 && span_equals(answer.line, yes))
		return PEER_FOUND;
	if (answer.rest.length == 0 && (span_equals(answer.line, no) || is_no_room(answer.line)))
		return PEER_NOT;
	hang_up(peer);
	return PEER_NONSENSE;
}

/* ---- commands ------------------------------------------------------------------------ */

/* "VALUE key flags bytes" */
static bool
parse_value_line(struct span line, const char *key, size_t *bytes)
{
	uint64_t flags, length;

	if (!span_equals(span_cut(&line, ' '), "VALUE") || !span_equals(span_cut(&line, ' '), key) ||
	    !span_to_u64(span_cut(&line, ' '), 0, UINT32_MAX, &flags) || !span_to_u64(line, 0, SIZE_MAX, &length))
		return false;
	*bytes = length;
	return true;
}

/* The value and what ends it; its first bytes have come with the line. */
static enum peer_outcome
receive_value(const struct peer *peer, struct span first, size_t bytes, struct arena *arena, struct deadline deadline,
    struct span *value)
{
	size_t total = bytes + VALUE_END_BYTES, filled = first.length;
	char *at;

	if (filled > total)
		return PEER_NONSENSE;
	at = arena_alloc(arena, total);
	memcpy(at, first.at, filled);
	while (filled < total) {
		size_t received;
		enum peer_outcome outcome = receive(peer, at + filled, total - filled, &received, deadline);

		if (outcome != PEER_FOUND)
			return outcome;
		filled += received;
	}
	if (memcmp(at + bytes, value_end, VALUE_END_BYTES) != 0)
		return PEER_NONSENSE;
	at[bytes] = '\0';
	*value = span_range(at, bytes);
	return PEER_FOUND;
}

enum peer_outcome
peer_get(struct peer *peer, const char *key, size_t max_bytes, struct arena *arena, struct span *value)
{
	char command[COMMAND_MAX];
	int length = snprintf(command, sizeof(command), "get %s\r\n", key);
	struct iovec parts[] = { part_of(command, (size_t)length) };
	struct answer answer;
	struct deadline deadline;
	size_t bytes;
	enum peer_outcome outcome = exchange(peer, parts, 1, &answer, &deadline);

	CHECK(strlen(key) <= KEY_MAX);
	if (outcome != PEER_FOUND)
		return outcome;
	if (answer.rest.length == 0 && (span_equals(answer.line, "END") || is_no_room(answer.line)))
		return PEER_NOT;
	if (!parse_value_line(answer.line, key, &bytes)) {
		outcome = PEER_NONSENSE;
	} else if (bytes > max_bytes) {
		/* Not ours; hanging up is quicker than reading it. */
		outcome = PEER_NOT;
	} else {
		deadline.at_us += (int64_t)(bytes / BYTES_PER_MS) * 1000;
		outcome = receive_value(peer, answer.rest, bytes, arena, deadline, value);
	}
	if (outcome != PEER_FOUND)
		hang_up(peer);
	return outcome;
}

enum peer_outcome
peer_store(struct peer *peer, const char *verb, const char *key, struct span value, unsigned lifetime_s)
{
	char command[COMMAND_MAX];
	int length = snprintf(command, sizeof(command), "%s %s 0 %u %zu\r\n", verb, key, lifetime_s, value.length);
	struct iovec parts[] = {
		part_of(command, (size_t)length), part_of(value.at, value.length), part_of("\r\n", 2)
	};

	CHECK(strlen(key) <= KEY_MAX);
	return ask(peer, parts, 3, "STORED", "NOT_STORED");
}

enum peer_outcome
peer_delete(struct peer *peer, const char *key)
{
	char command[COMMAND_MAX];
	int length = snprintf(command, sizeof(command), "delete %s\r\n", key);
	struct iovec parts[] = { part_of(command, (size_t)length) };

	CHECK(strlen(key) <= KEY_MAX);
	return ask(peer, parts, 1, "DELETED", "NOT_FOUND");
}
