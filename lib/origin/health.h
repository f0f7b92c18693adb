/*
 * health - whether an origin is worth asking at the moment.
 *
 * Shared by all processes of a machine when it lies in shared memory, so that
 * what one has waited for in vain the others need not find out.  While an origin
 * is left alone nobody asks it; when the pause is over one does (breaker.h).
 *
 * Nobody does better where an operation could not connect with all its tries,
 * so one of these is enough.  What goes wrong after that (silence, 5xx, a
 * transfer cut off) may be the trouble of one object, or of one server among
 * many: it takes HEALTH_FAILURES_MAX operations in a row, whoever's, and none
 * between them that was answered.  That an object is missing, forbidden or too
 * large is an answer.
 *
 * All zeros is good health.
 */
#ifndef ORIGIN_HEALTH_H
#define ORIGIN_HEALTH_H

#include "base/breaker.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { HEALTH_FAILURES_MAX = 3 };

struct origin_health {
	struct breaker breaker;
	_Atomic unsigned failures;	/* in a row */
};

/* In all of these NULL is an origin that nobody watches: it may always be asked. */

bool origin_health_allows(struct origin_health *health, unsigned pause_ms) __attribute__((warn_unused_result));

/* Also while one of us tries whether it is well again. */
bool origin_health_is_bad(const struct origin_health *health);

void origin_health_note_answer(struct origin_health *health);
void origin_health_note_failure(struct origin_health *health, unsigned pause_ms);
void origin_health_note_unreachable(struct origin_health *health, unsigned pause_ms);

#endif
