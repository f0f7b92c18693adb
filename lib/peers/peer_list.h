/*
 * peer_list - the servers of the ring, as the configuration names them.
 *
 *	10.0.0.1:11211, cache-2.example:11211, [2001:db8::1]:11211
 *
 * Names and order of letters matter: the ring is laid out by these texts, so
 * every server must be given the same ones.
 */
#ifndef PEERS_PEER_LIST_H
#define PEERS_PEER_LIST_H

#include "base/failure.h"
#include "base/text.h"
#include "peers/peers.h"

#include <stdbool.h>
#include <stdint.h>

enum { PEER_HOST_MAX = 253 };	/* RFC 1035 section 2.3.4, less the root's dot */

struct peer_address {
	char host[PEER_HOST_MAX + 1];	/* without brackets */
	uint16_t port;
};

struct peer_list {
	struct peer_address peers[PEERS_MAX];
	unsigned count;
};

/* An empty text is an empty list.  FAIL_INTERNAL, naming the entry, for what is
 * no "host:port", for a repeated one and for more than PEERS_MAX. */
bool peer_list_parse(struct span text, struct peer_list *list, struct failure *why)
    __attribute__((warn_unused_result));

#endif
