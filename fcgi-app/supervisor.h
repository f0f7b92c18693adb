/*
 * supervisor - starts, replaces, drains and reloads the processes.
 *
 * It never touches an image and opens no connection.  A generation of
 * processes lives exactly as long as its lifeline, a pipe whose write end only
 * the supervisor holds: closing it, executing a new program (close-on-exec) and
 * dying all end the generation in the same way, after the request in hand.
 *
 * Signals are blocked for good, also across fork and exec, and taken one by
 * one with sigtimedwait(); there are no handlers.
 *	TERM, INT	drain, finish, leave; a second one skips the draining time
 *	HUP		check the configuration in a new process, then execute
 *			ourselves anew; listeners and children are kept
 *	CHLD		reap, replace; with a pause when a child dies at once
 */
#ifndef FCGI_APP_SUPERVISOR_H
#define FCGI_APP_SUPERVISOR_H

#include "settings/settings.h"

/* Blocks the signals above; before anything else in main(). */
void supervisor_block_signals(void);

/* Takes the fixed numbers of the listeners, so that nothing else that is opened gets
 * them; before anything is.  Those that are open already stay as they are. */
void supervisor_reserve_descriptors(void);

/* Serves until stopped; returns the exit code.  program is the absolute path
 * that a reload executes, with argv. */
int supervisor_run(const struct settings *settings, const char *program, char **argv);

#endif
