/*
 * peer - one memcached server: a connection to it and the few commands we need.
 *
 * The text protocol (memcached's doc/protocol.txt), and of it only what a healthy
 * server answers: the first byte out of place, another key, a length that nobody put
 * there, or anything that was not asked for is nonsense, and the connection is
 * closed, so that no answer is ever taken for that of another question.  Every
 * command ends within its time limit, however slowly the bytes come.
 *
 * Opened when first needed.  A connection on which the server had hung up, because
 * it was started again, is replaced at once: every command may be repeated, because
 * a server that ended forgot what the first one did.
 */
#ifndef PEERS_PEER_H
#define PEERS_PEER_H

#include "base/arena.h"
#include "base/resolver.h"
#include "base/text.h"
#include "peers/peer_list.h"

enum peer_outcome {
	PEER_FOUND,	/* or stored, or deleted */
	PEER_NOT,	/* not found, not stored, or no room */
	PEER_CUT,	/* refused, or hung up */
	PEER_LATE,
	PEER_NONSENSE
};

struct peer {
	const struct peer_address *address;
	unsigned connect_timeout_ms, timeout_ms;
	struct resolver resolver;
	int fd;			/* -1: not connected */
};

void peer_init(struct peer *peer, const struct peer_address *address, unsigned connect_timeout_ms,
    unsigned timeout_ms);
void peer_release(struct peer *peer);

/* Keys are words of at most 250 characters.  A value longer than max_bytes counts as none. */
enum peer_outcome peer_get(struct peer *peer, const char *key, size_t max_bytes, struct arena *arena,
    struct span *value);

/* verb is "set" or "add". */
enum peer_outcome peer_store(struct peer *peer, const char *verb, const char *key, struct span value,
    unsigned lifetime_s);

enum peer_outcome peer_delete(struct peer *peer, const char *key);

#endif
