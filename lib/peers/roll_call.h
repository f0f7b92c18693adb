/*
 * roll_call - which peers answer now.
 *
 * All peers are asked at once, over connections of their own, so that the whole
 * ring takes no longer than its slowest member and at most timeout_ms.  Names are
 * looked up one after another within that time.
 */
#ifndef PEERS_ROLL_CALL_H
#define PEERS_ROLL_CALL_H

#include "peers/peer.h"

/* How many of them answered the question for their version. */
unsigned roll_call(struct peer *peers, unsigned count, unsigned timeout_ms);

#endif
