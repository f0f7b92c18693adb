/*
 * fuzz_channel - datagrams between processes.  The first byte says how many descriptors come
 * along, the rest is the message; what is refused leaves no descriptor open.
 */
#include "base/check.h"
#include "render/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SENT_MAX = 16, WANTED_MAX = 3, ROOM = 100 };

/* The lowest free number: the same before and after, when nothing was left open. */
static int
next_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	CHECK(fd != -1 && close(fd) == 0);
	return fd;
}

static void
check_received(int fd, struct span sent, unsigned count)
{
	int descriptors[WANTED_MAX];
	unsigned arrived;
	char message[ROOM];
	ssize_t got = channel_receive(fd, message, sizeof(message), descriptors, WANTED_MAX, &arrived);

	if (got == -1) {
		CHECK(errno == EMSGSIZE && (sent.length > ROOM || count > WANTED_MAX));
		return;
	}
	CHECK((size_t)got == sent.length && memcmp(message, sent.at, sent.length) == 0 && arrived == count);
	for (unsigned i = 0; i < arrived; i++)
		close(descriptors[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span message = span_range((const char *)bytes + 1, size - 1);
	unsigned count = size > 0 ? bytes[0] % (SENT_MAX + 1) : 0;
	int sockets[2], descriptors[SENT_MAX] = { 0 }, before = next_descriptor();

	if (size < 2)
		return 0;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
	CHECK(channel_send(sockets[0], message, descriptors, count));
	check_received(sockets[1], message, count);
	close(sockets[0]);
	close(sockets[1]);
	CHECK(next_descriptor() == before);
	return 0;
}
