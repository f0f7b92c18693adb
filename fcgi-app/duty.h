/*
 * duty - who waits at the listening socket, and who is called when nobody is there.
 *
 * A connection wakes one of those who wait for it.  If all responders waited, a burst of sixteen
 * would wake sixteen processes for a few microseconds of work each, and to switch to a process
 * costs more than that.  So only a few are at the socket, as many as there are processors,
 * and the next connections find them at work already; the others are in reserve.
 *
 * Who answers from memory and the store is still at the socket, because he is back before another would be awake.
 * Before anything that may take longer he hands over, and when that leaves nobody there, he rings a bell, which
 * wakes one of the reserve, who looks how many are there.  So there is somebody at the socket, or on the way to
 * it, as long as anybody has nothing to do, however long requests take.  Who dies or is frozen at the socket, or
 * waits for a disk or for who reads the log, is still counted there: so the parent rings for each death, and when
 * a connection has not been taken for a moment; each time one comes.
 */
#ifndef FCGI_APP_DUTY_H
#define FCGI_APP_DUTY_H

#include "base/failure.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ROSTER_MAX = 512 + 256 };	/* responders and renderers: a number is that of a child */

/* In memory that parent and responders share.  All zeros: nobody is at the socket. */
struct roster {
	_Atomic uint64_t at_socket[ROSTER_MAX / 64];	/* a bit for each responder */
};

/* The bell, a descriptor; -1 with errno. */
int bell_new(void) __attribute__((warn_unused_result));

/* By the parent: whom the roster has at the socket may not be.  Those who are will be counted
 * again after their next connection. */
void roster_call(struct roster *roster, int bell);

struct duty_config {
	int listener;
	int leave;		/* readable or hung up: see duty_wait() */
	int bell;		/* -1: this is the only responder, and always at the socket */
	struct roster *roster;
	unsigned number;	/* below ROSTER_MAX, and of no other responder that lives */
};

struct duty {
	struct duty_config config;
	unsigned enough;	/* who are at the socket */
	int epoll;
	bool is_at_socket;
	bool had_connection;	/* since it was asked whether to go on */
	int64_t looked_us;	/* whether to leave */
};

/* FAIL_INTERNAL. */
bool duty_open(struct duty *duty, const struct duty_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void duty_close(struct duty *duty);

enum duty_call { DUTY_CONNECTION, DUTY_LEAVE };

/* Until there may be a connection; somebody else can be quicker to accept it. */
enum duty_call duty_wait(struct duty *duty);

/* A connection was accepted. */
void duty_take(struct duty *duty);

/* To serve it may take long from here on, because of waiting or of work.  May be called again. */
void duty_hand_over(struct duty *duty);

/* When it has been served: whether the next one may be accepted at once, without duty_wait().  There
 * may be none.  Not if enough others came to the socket meanwhile, and not for longer than some milliseconds,
 * because nobody is told to leave meanwhile. */
bool duty_goes_on(struct duty *duty);

#endif
