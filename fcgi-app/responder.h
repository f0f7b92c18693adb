/*
 * responder - the process that answers requests, one at a time.
 */
#ifndef FCGI_APP_RESPONDER_H
#define FCGI_APP_RESPONDER_H

#include "fcgi-app/duty.h"
#include "settings/settings.h"

struct responder_config {
	struct duty_config duty;	/* where FastCGI connections come from, and when to leave */
	int renderer_listener;	/* taken over and closed; -1: keep a renderer of its own */
	int drain;		/* see server.h; -1: none */
	struct shortcuts *shortcuts;	/* shared.h */
};

/*
 * Serves until told to leave or until it has served enough.  Returns the
 * process's exit code.  Signals must be blocked, except SIGALRM, which is the
 * watchdog's: a request that outlives its deadline by far ends the process.
 */
int responder_run(const struct settings *settings, const struct responder_config *config);

#endif
