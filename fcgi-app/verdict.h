/*
 * verdict - why something could not be made, for those who ask for the same.
 *
 * Whoever waited for a flight that failed gets its failure and does not repeat it,
 * one after the other, for nothing.  What is the picture's own fault is
 * remembered for as long as clients are told to remember it; the rest is forgotten with the
 * next attempt.
 */
#ifndef FCGI_APP_VERDICT_H
#define FCGI_APP_VERDICT_H

#include "base/digest.h"
#include "base/failure.h"
#include "fcgi-app/request.h"
#include "fcgi-app/server.h"

/* Fails as the last attempt did, when that will not be different now: for who has not waited. */
bool verdict_is_open(struct server *server, struct request *request, const struct key *key, struct failure *why)
    __attribute__((warn_unused_result));

/* Fails as the attempt did that has ended while the caller waited for it, since from_us. */
bool verdict_is_open_since(struct server *server, struct request *request, const struct key *key, int64_t from_us,
    struct failure *why) __attribute__((warn_unused_result));

void verdict_remember(struct server *server, struct request *request, enum store_part part, const struct key *key,
    const struct failure *failure);

#endif
