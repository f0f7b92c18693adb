#include "fcgi-app/own_renderer.h"

#include "base/check.h"
#include "render/renderer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct own_renderer {
	const struct renderer_config *config;
	struct render_address address;
	int lifeline[2];
	pid_t pid;
};

struct own_renderer *
own_renderer_open(const struct renderer_config *config, struct failure *why)
{
	struct own_renderer *own = calloc(1, sizeof(*own));

	CHECK(own != NULL);
	own->config = config;
	own->lifeline[0] = own->lifeline[1] = own->pid = -1;
	if (pipe2(own->lifeline, O_CLOEXEC) == -1) {
		fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
		own_renderer_close(own);
		return NULL;
	}
	return own;
}

static bool
start(struct own_renderer *own, struct failure *why)
{
	int listener = render_listen(1, why), pixels;
	struct failure no_pixels = { 0 };

	if (listener == -1)
		return false;
	/* Only the renderer has it from then on, so they end together. */
	pixels = renderer_pixels(1, &no_pixels);
	if (render_address_of(listener, &own->address, why))
		own->pid = renderer_start(own->config, listener, own->lifeline[0], pixels, why);
	close(listener);
	if (pixels != -1)
		close(pixels);
	return own->pid != -1;
}

static bool
ensure(struct own_renderer *own, struct failure *why)
{
	if (own->pid != -1 && waitpid(own->pid, NULL, WNOHANG) == 0)
		return true;
	own->pid = -1;
	return start(own, why);
}

/* A process that exits closes its sockets before it can be waited for. */
static void
finish_off(struct own_renderer *own)
{
	kill(own->pid, SIGKILL);
	waitpid(own->pid, NULL, 0);
	own->pid = -1;
}

bool
own_renderer_run(struct own_renderer *own, const struct job *job, const struct job_files *files,
    struct deadline deadline, struct job_result *result, struct failure *why)
{
	struct failure first = { 0 };

	if (!ensure(own, why))
		return false;
	if (render_run(&own->address, job, files, deadline, result, &first))
		return true;
	if (first.kind != FAIL_UNAVAILABLE) {
		*why = first;
		return false;
	}
	/* Nobody took the job: it had done enough of them, or was killed. */
	finish_off(own);
	return start(own, why) && render_run(&own->address, job, files, deadline, result, why);
}

void
own_renderer_close(struct own_renderer *own)
{
	if (own == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (own->lifeline[i] != -1)
			close(own->lifeline[i]);
	if (own->pid != -1)
		waitpid(own->pid, NULL, 0);
	free(own);
}
