#include "render/render_client.h"

#include "base/check.h"
#include "render/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
render_listen(unsigned queue, struct failure *why)
{
	/* An address that is only its family asks the kernel for a free abstract
	 * name (unix(7), autobind). */
	struct sockaddr_un nameless = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd != -1 && bind(fd, (struct sockaddr *)&nameless, sizeof(sa_family_t)) == 0 &&
	    listen(fd, (int)queue) == 0)
		return fd;
	fail(why, FAIL_INTERNAL, "cannot make the renderers' socket: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

bool
render_address_of(int listener, struct render_address *address, struct failure *why)
{
	address->length = sizeof(address->address);
	if (getsockname(listener, (struct sockaddr *)&address->address, &address->length) == -1)
		return fail(why, FAIL_INTERNAL, "no name for the renderers' socket: %s", strerror(errno));
	return true;
}

/* A full queue makes connect() wait, and SO_SNDTIMEO bounds that wait (unix(7)
 * does not say so; net/unix/af_unix.c: sock_sndtimeo).  We are woken the moment
 * a renderer takes somebody off the queue. */
static bool
limit_connect(int fd, struct deadline deadline)
{
	int left_ms = deadline_left_ms(deadline);
	struct timeval wait = { left_ms / 1000, left_ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0;
}

static bool
connect_renderer(int fd, const struct render_address *address, struct deadline deadline,
    struct failure *why)
{
	do {
		/* No time left would be no limit at all: a zero SO_SNDTIMEO waits for ever. */
		if (deadline_has_passed(deadline))
			return fail(why, FAIL_BUSY, "no renderer was free before the deadline");
		if (!limit_connect(fd, deadline))
			return fail(why, FAIL_INTERNAL, "SO_SNDTIMEO: %s", strerror(errno));
		if (connect(fd, (const struct sockaddr *)&address->address, address->length) == 0)
			return true;
	} while (errno == EINTR || errno == EAGAIN);
	return fail(why, FAIL_UNAVAILABLE, "no renderer can be reached: %s", strerror(errno));
}

/* In the order of the protocol, without those that the job does not have. */
static unsigned
descriptors_of(const struct job *job, const struct job_files *files, int descriptors[JOB_DESCRIPTORS_MAX])
{
	const int all[JOB_DESCRIPTORS_MAX] = {
		files->input, files->output, files->mark,
		job->mezzanine != MEZZANINE_WITHOUT ? files->mezzanine : -1,
	};
	unsigned count = 0;

	for (unsigned i = 0; i < JOB_DESCRIPTORS_MAX; i++)
		if (all[i] != -1)
			descriptors[count++] = all[i];
	return count;
}

static bool
send_job(int fd, const struct job *job, const struct job_files *files, struct deadline deadline,
    struct failure *why)
{
	struct job sent = *job;
	struct arena *arena = arena_new();
	int descriptors[JOB_DESCRIPTORS_MAX];
	unsigned count = descriptors_of(job, files, descriptors);
	struct text message;
	bool is_sent;

	text_init(&message, arena, JOB_MESSAGE_MAX);
	sent.deadline = deadline;
	job_print(&sent, &message);
	CHECK(!message.was_cut);
	CHECK(count == job_file_count(job));
	is_sent = channel_send(fd, text_span(&message), descriptors, count);
	arena_free(arena);
	if (!is_sent)
		return fail(why, FAIL_UNAVAILABLE, "no renderer took the job: %s", strerror(errno));
	return true;
}

static bool
wait_for_answer(int fd, struct deadline deadline, struct failure *why)
{
	struct pollfd answer = { fd, POLLIN, 0 };

	for (;;) {
		int ready = poll(&answer, 1, deadline_slice_ms(deadline));

		if (ready == 1)
			return true;
		if (deadline_has_passed(deadline))
			return fail(why, FAIL_TIMEOUT, "no answer from the renderer before the deadline");
		if (ready == -1 && errno != EINTR)
			return fail(why, FAIL_INTERNAL, "waiting for the renderer: %s", strerror(errno));
	}
}

/*
 * The connection ended without an answer.  A renderer is killed by its own
 * timer once the job's time is used up, which the picture answers for when that was
 * at least half of what jobs have; whatever ends it earlier, the picture did.
 */
static bool
renderer_died(const struct job *job, int64_t began_us, struct deadline deadline, struct job_result *result,
    struct failure *why)
{
	int64_t worked_ms = (monotonic_us() - began_us) / 1000;

	if (began_us == 0 && deadline_has_passed(deadline))
		return fail(why, FAIL_BUSY, "no renderer began the job before the deadline");
	if (began_us == 0)
		return fail(why, FAIL_UNAVAILABLE, "the renderer left before it began the job");
	result->ended_renderer = worked_ms >= job->timeout_ms / 2 || !deadline_has_passed(deadline);
	if (worked_ms >= job->timeout_ms)
		return fail(why, FAIL_TIMEOUT, "the image took longer than %u ms", job->timeout_ms);
	if (deadline_has_passed(deadline))
		return fail(why, FAIL_TIMEOUT, "the image was not done before the deadline");
	return fail(why, FAIL_CRASHED, "the renderer died of this image");
}

/* The renderer says once that the job has left the queue, then the answer. */
static bool
receive_result(int fd, const struct job *job, struct deadline deadline, struct job_result *result,
    struct failure *why)
{
	char message[JOB_MESSAGE_MAX];
	int64_t began_us = 0;

	for (;;) {
		unsigned count;
		ssize_t got;

		if (!wait_for_answer(fd, deadline, why))
			return false;
		got = channel_receive(fd, message, sizeof(message), NULL, 0, &count);
		/* The kernel says ECONNRESET when the renderer (or, on a shutdown, the
		 * listener) went with our job still unread: no picture is to blame. */
		if (got == -1 && errno == ECONNRESET)
			return fail(why, FAIL_UNAVAILABLE, "no renderer took the job");
		if (got == -1)
			return fail(why, FAIL_INTERNAL, "the renderer's answer: %s", strerror(errno));
		if (got == 0)
			return renderer_died(job, began_us, deadline, result, why);
		if (began_us != 0 || !span_equals(span_range(message, (size_t)got), JOB_STARTED))
			return job_result_parse(span_range(message, (size_t)got), job->operation, result, why);
		began_us = monotonic_us();
	}
}

static bool
fate_was_wished(const struct job *job, enum mezzanine_fate fate)
{
	return fate == MEZZANINE_NONE || job->mezzanine == (fate == MEZZANINE_USED ? MEZZANINE_USE : MEZZANINE_LEAVE);
}

/* The renderer has parsed hostile bytes: what it says of its output must be so. */
static bool
output_is_as_told(const struct job_result *result, int output, struct failure *why)
{
	struct stat status;

	if (fstat(output, &status) == -1)
		return fail(why, FAIL_INTERNAL, "fstat of the output: %s", strerror(errno));
	if (result->outcome.width == 0 || result->outcome.height == 0 || result->outcome.bytes == 0 ||
	    (uint64_t)status.st_size != result->outcome.bytes)
		return fail(why, FAIL_INTERNAL, "the renderer told of %llu bytes, its output has %llu",
		    (unsigned long long)result->outcome.bytes, (unsigned long long)status.st_size);
	return true;
}

static bool
run(int fd, const struct render_address *address, const struct job *job, const struct job_files *files,
    struct deadline deadline, struct job_result *result, struct failure *why)
{
	if (!connect_renderer(fd, address, deadline, why) || !send_job(fd, job, files, deadline, why) ||
	    !receive_result(fd, job, deadline, result, why))
		return false;
	if (result->failure.kind != FAIL_NONE) {
		*why = result->failure;
		return false;
	}
	if (!fate_was_wished(job, result->outcome.mezzanine))
		return fail(why, FAIL_INTERNAL, "the renderer tells of a mezzanine that was not asked for");
	return files->output == -1 || output_is_as_told(result, files->output, why);
}

bool
render_run(const struct render_address *address, const struct job *job,
    const struct job_files *files, struct deadline deadline, struct job_result *result, struct failure *why)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool is_done;

	CHECK(files->input != -1 && (files->output != -1) == (job->operation == JOB_RENDER));
	*result = (struct job_result){ .leaving = -1 };
	if (fd == -1)
		return fail(why, FAIL_INTERNAL, "socket: %s", strerror(errno));
	is_done = run(fd, address, job, files, deadline, result, why);
	if (is_done && result->outcome.mezzanine == MEZZANINE_FOLLOWS)
		result->leaving = fd;
	else
		close(fd);
	return is_done;
}

bool
render_wait_left(int leaving, struct deadline deadline)
{
	char message[JOB_MESSAGE_MAX];
	struct failure why = { 0 };
	ssize_t got = -1;
	unsigned count;

	if (wait_for_answer(leaving, deadline, &why))
		got = channel_receive(leaving, message, sizeof(message), NULL, 0, &count);
	close(leaving);
	return got > 0 && span_equals(span_range(message, (size_t)got), JOB_LEFT);
}
