/*
 * render_client - hands a job to a renderer and waits for the answer.
 *
 * A connection carries one job.  The client connects to the renderers' socket,
 * sends the message with its descriptors, and waits until the answer, the end
 * of the renderer, or the deadline: each is a clear failure.
 */
#ifndef RENDER_RENDER_CLIENT_H
#define RENDER_RENDER_CLIENT_H

#include "base/deadline.h"
#include "base/failure.h"
#include "render/job.h"

#include <sys/socket.h>
#include <sys/un.h>

struct render_address {
	struct sockaddr_un address;
	socklen_t length;
};

/*
 * A listening socket for renderers with a name that only this machine's kernel
 * knows (an autobound abstract address), close-on-exec.  `queue` connections
 * may wait.  -1 and *why (FAIL_INTERNAL) when it cannot be made.
 */
int render_listen(unsigned queue, struct failure *why) __attribute__((warn_unused_result));

/* Where that socket can be reached. */
bool render_address_of(int listener, struct render_address *address, struct failure *why)
    __attribute__((warn_unused_result));

/*
 * Runs the job; the deadline goes with it, so nobody renders for a client that
 * has given up.  The files are those that the job needs, the others -1.  The
 * renderer writes to the output, an empty file, from offset 0 through its own copy
 * of the descriptor.  Input and mark should be open for reading only; their file
 * positions belong to the renderer while the job runs.  False with the renderer's own failure
 * (FAIL_BAD_REQUEST, FAIL_UNSUPPORTED, FAIL_UNPROCESSABLE, ...), or
 *	FAIL_BUSY		the queue was full until the deadline
 *	FAIL_TIMEOUT		no answer before the deadline, or the job's own timer ended it
 *	FAIL_CRASHED		the renderer died of this job (killed by a signal)
 *	FAIL_UNAVAILABLE	no renderer can be reached, or it left before it read the job
 *	FAIL_INTERNAL		its answer is malformed, or not true of the output
 */
bool render_run(const struct render_address *address, const struct job *job,
    const struct job_files *files, struct deadline deadline, struct job_result *result, struct failure *why)
    __attribute__((warn_unused_result));

/*
 * After render_run() said MEZZANINE_FOLLOWS: waits until the renderer has written it all, with
 * job_result.leaving, which is closed here; to close it without waiting ends the
 * renderer.  False when there is no mezzanine, whatever the reason.
 */
bool render_wait_left(int leaving, struct deadline deadline) __attribute__((warn_unused_result));

#endif
