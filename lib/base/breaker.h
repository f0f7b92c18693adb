/*
 * breaker - a circuit breaker for one server that we depend on, shared by all
 * processes of this machine.
 *
 *	if (!breaker_allows(breaker, retry_after_ms))
 *		...				failed a moment ago: do without
 *	if (asked it, and it answered)
 *		breaker_close(breaker);
 *	else
 *		breaker_open(breaker, retry_after_ms);
 *
 * While it is open nobody asks the server; when its pause is over one caller, on
 * the whole machine, is let through to try, and the others go on without.  So a
 * server that hangs costs one time-out per pause, and not one for each process.
 *
 * When it failed last is remembered after it has answered, for who must know whether
 * it may have missed something.
 *
 * It is two atomic numbers that may lie in shared memory: a process may die at
 * any instant and leave them whole.  All zeros is a closed breaker of a server that never failed.
 */
#ifndef BASE_BREAKER_H
#define BASE_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker {
	_Atomic int64_t open_until_us;	/* CLOCK_MONOTONIC; 0: closed */
	_Atomic int64_t failed_at_s;	/* Unix time; 0: never */
};

/* Whether the server may be asked now.  The one that is let through after the
 * pause has that pause again to find out before the next one tries. */
bool breaker_allows(struct breaker *breaker, unsigned pause_ms) __attribute__((warn_unused_result));

/* It answered. */
void breaker_close(struct breaker *breaker);

/* It failed: nobody asks it for this long. */
void breaker_open(struct breaker *breaker, unsigned pause_ms);

/* For /metrics and decisions that do not ask: it has failed and not answered since. */
bool breaker_is_open(const struct breaker *breaker);

/* Unix seconds of its last failure; 0 when there was none, or when that lies in the
 * future, because the clock was set back. */
int64_t breaker_failed_at_s(const struct breaker *breaker);

#endif
