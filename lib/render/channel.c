#include "render/channel.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for more than anybody may send: of what does not fit, the kernel keeps
 * what does and closes the rest, so a small array would hide the excess. */
enum { DESCRIPTORS_RECEIVED_MAX = 16 };

bool
channel_send(int fd, struct span message, const int *descriptors, unsigned count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_RECEIVED_MAX)];
	} control = { 0 };
	struct iovec part = { (void *)(uintptr_t)message.at, message.length };
	struct msghdr parcel = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	CHECK(count <= DESCRIPTORS_RECEIVED_MAX);
	CHECK(message.length > 0);	/* an empty datagram would read as the end */
	if (count > 0) {
		parcel.msg_control = control.bytes;
		parcel.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), descriptors, sizeof(int) * count);
	}
	do
		sent = sendmsg(fd, &parcel, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent == -1 && errno == EINTR);
	return sent != -1;
}

/* Every descriptor that came along, of however many control messages. */
static unsigned
collect_descriptors(struct msghdr *parcel, int *descriptors)
{
	unsigned count = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(parcel); header != NULL;
	    header = CMSG_NXTHDR(parcel, header)) {
		size_t bytes = header->cmsg_len - CMSG_LEN(0);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		CHECK(count + bytes / sizeof(int) <= DESCRIPTORS_RECEIVED_MAX);
		memcpy(descriptors + count, CMSG_DATA(header), bytes);
		count += (unsigned)(bytes / sizeof(int));
	}
	return count;
}

ssize_t
channel_receive(int fd, char *message, size_t size, int *descriptors, unsigned max, unsigned *count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_RECEIVED_MAX)];
	} control;
	struct iovec part = { message, size };
	struct msghdr parcel = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int arrived[DESCRIPTORS_RECEIVED_MAX];
	unsigned arrived_count;
	ssize_t got;

	*count = 0;
	do
		got = recvmsg(fd, &parcel, MSG_CMSG_CLOEXEC);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	arrived_count = collect_descriptors(&parcel, arrived);
	if ((parcel.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || arrived_count > max) {
		for (unsigned i = 0; i < arrived_count; i++)
			close(arrived[i]);
		errno = EMSGSIZE;
		return -1;
	}
	if (arrived_count > 0)
		memcpy(descriptors, arrived, sizeof(int) * arrived_count);
	*count = arrived_count;
	return got;
}
