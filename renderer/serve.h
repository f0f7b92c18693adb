/*
 * serve - takes jobs off the shared socket, one at a time, until it is time to go.
 *
 * Four things end it, all without an error: the lifeline's other end was
 * closed, it did its number of jobs, a job left it with more memory than the
 * mark, or it comes near a limit of its process.  A job that takes too long ends the process: the kernel's timer
 * (SIGALRM, default action) needs no cooperation from a stuck decoder, and the
 * client sees the end of the connection.
 */
#ifndef RENDERER_SERVE_H
#define RENDERER_SERVE_H

#include "base/failure.h"

#include <stdint.h>

struct serve_config {
	int listener;		/* SOCK_SEQPACKET, listening, non-blocking, shared */
	int lifeline;		/* end of file: leave */
	int pixels;		/* memory to keep pixels in, shared; -1: none are kept */
	unsigned jobs;		/* 0: no limit */
	uint64_t recycle_bytes;	/* 0: no mark */
};

/* False only when this process cannot go on (FAIL_INTERNAL). */
bool serve(const struct serve_config *config, struct failure *why) __attribute__((warn_unused_result));

#endif
