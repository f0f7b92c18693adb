/*
 * roll_call - which peers answer now.
 *
 * All peers are asked at once, over connections of their own, so that the whole
 * ring takes no longer than its slowest member and at most timeout_ms.
 *
 * BUGS: host names are resolved one after another, without a time limit.
 */
#ifndef PEERS_ROLL_CALL_H
#define PEERS_ROLL_CALL_H

#include "peers/peer_list.h"

/* How many of them answered the question for their version. */
unsigned roll_call(const struct peer_list *list, unsigned timeout_ms);

#endif
