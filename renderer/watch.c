#include "renderer/watch.h"

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int bell = -1;
static _Atomic int watched = -1;

bool
watch_open(struct failure *why)
{
	bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return bell != -1 || fail(why, FAIL_INTERNAL, "eventfd: %s", strerror(errno));
}

static bool
has_hung_up(int connection)
{
	struct pollfd end = { connection, POLLRDHUP, 0 };

	return connection != -1 && poll(&end, 1, 0) == 1;
}

static void *
watch(void *unused)
{
	for (;;) {
		/* poll() passes over a descriptor of -1. */
		struct pollfd ends[] = { { bell, POLLIN, 0 }, { atomic_load(&watched), POLLRDHUP, 0 } };
		uint64_t rings;

		if (poll(ends, 2, -1) == -1 && errno != EINTR)
			break;
		(void)!read(bell, &rings, sizeof(rings));
		/* Looked at anew: the descriptor may belong to the next job by now. */
		if (has_hung_up(atomic_load(&watched)))
			_exit(0);
	}
	return unused;
}

bool
watch_start(struct failure *why)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, watch, NULL);

	if (error != 0)
		return fail(why, FAIL_INTERNAL, "pthread_create: %s", strerror(error));
	pthread_detach(thread);
	return true;
}

static void
set_watched(int connection)
{
	const uint64_t ring = 1;

	atomic_store(&watched, connection);
	CHECK(write(bell, &ring, sizeof(ring)) == sizeof(ring));
}

void
watch_begin(int connection)
{
	set_watched(connection);
}

void
watch_end(void)
{
	set_watched(-1);
}
