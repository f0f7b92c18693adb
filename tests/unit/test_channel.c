#include "render/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
	int ends[2];
};

static int
open_pair(void **state)
{
	static struct pair pair;

	*state = &pair;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.ends);
}

static int
close_pair(void **state)
{
	struct pair *pair = *state;

	for (int i = 0; i < 2; i++)
		if (pair->ends[i] != -1)
			close(pair->ends[i]);
	return 0;
}

/* How many descriptors this process has open. */
static unsigned
open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static void
test_carries_a_message_and_its_descriptors(void **state)
{
	struct pair *pair = *state;
	char message[16], byte = 0;
	int pipes[2], arrived[2];
	unsigned count;

	assert_int_equal(pipe(pipes), 0);
	assert_true(channel_send(pair->ends[0], span_of("hello"), pipes, 2));
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), arrived, 2, &count), 5);
	assert_memory_equal(message, "hello", 5);
	assert_int_equal(count, 2);
	assert_int_equal(fcntl(arrived[0], F_GETFD), FD_CLOEXEC);
	/* They are the same pipe, in the same order. */
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(read(arrived[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(arrived[i]);
	}
}

static void
test_keeps_the_borders_between_messages(void **state)
{
	struct pair *pair = *state;
	char message[16];
	unsigned count = 9;

	assert_true(channel_send(pair->ends[0], span_of("one"), NULL, 0));
	assert_true(channel_send(pair->ends[0], span_of("three"), NULL, 0));
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), NULL, 0, &count), 3);
	assert_int_equal(count, 0);
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), NULL, 0, &count), 5);
}

static void
test_refuses_a_message_that_is_too_long(void **state)
{
	struct pair *pair = *state;
	unsigned before, count;
	char message[4];
	int arrived[1];

	before = open_descriptors();
	assert_true(channel_send(pair->ends[0], span_of("12345"), &pair->ends[0], 1));
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), arrived, 1, &count), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(count, 0);
	assert_int_equal(open_descriptors(), before);
}

static void
test_closes_descriptors_nobody_asked_for(void **state)
{
	struct pair *pair = *state;
	int three[3] = { pair->ends[0], pair->ends[0], pair->ends[1] }, arrived[2];
	unsigned before = open_descriptors(), count;
	char message[16];

	assert_true(channel_send(pair->ends[0], span_of("hello"), three, 3));
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), arrived, 2, &count), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(open_descriptors(), before);
}

static void
test_survives_more_descriptors_than_it_has_room_for(void **state)
{
	enum { MANY = 40 };
	struct pair *pair = *state;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * MANY)];
	} control = { 0 };
	struct iovec part = { "x", 1 };
	struct msghdr parcel = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	unsigned before = open_descriptors(), count;
	int many[MANY], arrived[2];
	char message[16];

	for (int i = 0; i < MANY; i++)
		many[i] = pair->ends[0];
	control.header = (struct cmsghdr){ CMSG_LEN(sizeof(many)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), many, sizeof(many));
	assert_int_equal(sendmsg(pair->ends[0], &parcel, 0), 1);
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), arrived, 2, &count), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(open_descriptors(), before);
}

static void
test_tells_the_end_of_the_peer(void **state)
{
	struct pair *pair = *state;
	char message[16];
	unsigned count;

	close(pair->ends[0]);
	pair->ends[0] = -1;
	assert_int_equal(channel_receive(pair->ends[1], message, sizeof(message), NULL, 0, &count), 0);
	/* And no SIGPIPE: this process would not be here. */
	assert_false(channel_send(pair->ends[1], span_of("hello"), NULL, 0));
	assert_int_equal(errno, EPIPE);
}

static void
test_does_not_wait_for_a_peer_that_does_not_read(void **state)
{
	struct pair *pair = *state;
	unsigned sent = 0;

	while (sent < 100000 && channel_send(pair->ends[0], span_of("hello"), NULL, 0))
		sent++;
	assert_in_range(sent, 1, 99999);
	assert_int_equal(errno, EAGAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_carries_a_message_and_its_descriptors, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_keeps_the_borders_between_messages, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_refuses_a_message_that_is_too_long, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_closes_descriptors_nobody_asked_for, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_survives_more_descriptors_than_it_has_room_for, open_pair,
		    close_pair),
		cmocka_unit_test_setup_teardown(test_tells_the_end_of_the_peer, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_does_not_wait_for_a_peer_that_does_not_read, open_pair,
		    close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
