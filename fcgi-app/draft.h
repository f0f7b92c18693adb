/*
 * draft - where a request writes new bytes: into the store, or into memory when the
 * disk takes none.
 *
 * A server whose disk is full or read-only so goes on to answer, but keeps nothing.
 * Few requests at a time may hold memory, each until its answer is sent; the others
 * wait for their turn.
 */
#ifndef FCGI_APP_DRAFT_H
#define FCGI_APP_DRAFT_H

#include "fcgi-app/request.h"
#include "fcgi-app/server.h"

/* FAIL_BUSY when there is no memory for it within a second. */
bool draft_begin(struct server *server, struct request *request, struct store_draft *draft, struct failure *why)
    __attribute__((warn_unused_result));

/* After writing it has failed: true when the disk may be to blame.  The draft is empty
 * again then, in memory, and *why is cleared: write it once more. */
bool draft_begin_again(struct server *server, struct request *request, struct store_draft *draft,
    struct failure *why) __attribute__((warn_unused_result));

#endif
