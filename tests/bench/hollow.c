/*
 * hollow - a FastCGI program that knows the answer before it is asked.
 *
 *	hollow SOCKET PROCESSES HEADERS
 *
 * Each process accepts a connection, reads once, answers HEADERS (lines that end in "\r\n") without a
 * body, and closes: what nginx needs a FastCGI program for, and nothing else.  It checks nothing,
 * finds nothing and writes no log.  So what it reaches is the limit for any program behind nginx
 * that has a connection for each request; its processes are batch processes, as responders are,
 * and should be as few as are at the socket there.  It ends with its parent.
 */
#include "base/check.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { STDOUT = 6, END_REQUEST = 3, HEADERS_MAX = 4096, BACKLOG = 511 };

static unsigned char answer[HEADERS_MAX + 64];
static size_t answer_bytes;

/* FastCGI 1.0, section 3.3; the request is number 1. */
static void
add_record(unsigned char type, const char *content, size_t length)
{
	const unsigned char head[8] = { 1, type, 0, 1, (unsigned char)(length >> 8), (unsigned char)length, 0, 0 };

	memcpy(answer + answer_bytes, head, sizeof(head));
	memcpy(answer + answer_bytes + sizeof(head), content, length);
	answer_bytes += sizeof(head) + length;
}

static void
prepare_answer(const char *headers)
{
	static const char completed[8];
	size_t length = strlen(headers);
	char text[HEADERS_MAX];

	CHECK(length <= HEADERS_MAX - 2);
	memcpy(text, headers, length);
	memcpy(text + length, "\r\n", 2);
	add_record(STDOUT, text, length + 2);
	add_record(STDOUT, "", 0);
	add_record(END_REQUEST, completed, sizeof(completed));
}

static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	CHECK(fd != -1 && bind(fd, (struct sockaddr *)&address, sizeof(address)) != -1 && listen(fd, BACKLOG) != -1);
	return fd;
}

static void
serve(int listener)
{
	char request[8192];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ .sched_priority = 0 }) == 0);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd == -1)
			continue;
		if (recv(fd, request, sizeof(request), 0) > 0)
			(void)send(fd, answer, answer_bytes, MSG_NOSIGNAL);
		close(fd);
	}
}

int
main(int argc, char **argv)
{
	int listener;

	CHECK(argc == 4);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prepare_answer(argv[3]);
	listener = listen_at(argv[1]);
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		pid_t child = fork();

		CHECK(child != -1);
		if (child == 0)
			serve(listener);
	}
	pause();
	return 0;
}
