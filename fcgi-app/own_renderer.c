#include "fcgi-app/own_renderer.h"

#include "base/check.h"
#include "fcgi-app/renderer_settings.h"
#include "render/renderer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct own_renderer {
	struct arena *arena;
	struct renderer_config config;
	struct render_address address;
	int listener;
	int lifeline[2];
	pid_t pid;
};

struct own_renderer *
own_renderer_open(const struct render_settings *settings, struct failure *why)
{
	struct own_renderer *own = calloc(1, sizeof(*own));

	CHECK(own != NULL);
	own->arena = arena_new();
	own->listener = own->lifeline[0] = own->lifeline[1] = own->pid = -1;
	if (!renderer_config_of(settings, own->arena, &own->config, why) ||
	    (own->listener = render_listen(1, why)) == -1 ||
	    !render_address_of(own->listener, &own->address, why)) {
		own_renderer_close(own);
		return NULL;
	}
	if (pipe2(own->lifeline, O_CLOEXEC) == -1) {
		fail(why, FAIL_INTERNAL, "cannot make a pipe: %s", strerror(errno));
		own_renderer_close(own);
		return NULL;
	}
	return own;
}

bool
own_renderer_ensure(struct own_renderer *own, struct failure *why)
{
	if (own->pid != -1 && waitpid(own->pid, NULL, WNOHANG) == 0)
		return true;
	own->pid = renderer_start(&own->config, own->listener, own->lifeline[0], why);
	return own->pid != -1;
}

const struct render_address *
own_renderer_address(const struct own_renderer *own)
{
	return &own->address;
}

void
own_renderer_close(struct own_renderer *own)
{
	if (own == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (own->lifeline[i] != -1)
			close(own->lifeline[i]);
	if (own->listener != -1)
		close(own->listener);
	if (own->pid != -1)
		waitpid(own->pid, NULL, 0);
	arena_free(own->arena);
	free(own);
}
