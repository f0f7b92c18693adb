/*
 * peers - the memcached ring that the servers share.
 *
 * A dead, slow or lying peer is a miss, never an error, and the ring does not
 * move when one dies: its share of the keys misses until it is back.  One that
 * failed is left alone for retry_after_s, and then one request tries it again:
 * with breakers in shared memory, one of all processes of the machine.  Keys are
 * hashed (struct key); every value is wrapped in an envelope that repeats its
 * key and carries length and checksum, so another key's value, an old format or
 * garbage is a miss too; with a secret, so is what somebody has written who does not know it.
 *
 * One handle per process, opened after fork.  Signals must be blocked while
 * these functions run (libmemcached 1.1.4 loses its timeouts to them).
 */
#ifndef PEERS_PEERS_H
#define PEERS_PEERS_H

#include "base/arena.h"
#include "base/breaker.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PEERS_MAX = 64,
	PEERS_NAMESPACE_MAX = 32,	/* letters, digits, "-" and "_" */
	PEERS_SECRET_MIN = 16,		/* bytes: as long as the code that it makes */
	PEERS_VALUE_MAX = 1000 * 1000	/* bytes, under memcached's usual item size of 1 MiB */
};

struct peers_config {
	const char *servers;		/* "10.0.0.1:11211,10.0.0.2:11211"; "" for none: all is a miss */
	unsigned connect_timeout_ms;
	unsigned timeout_ms;		/* of one answer */
	unsigned retry_after_s;		/* a dead peer is tried again after this */
	const char *namespace;		/* before every key, so that clusters can share servers; NULL: "vitrine" */
	const char *secret;		/* seals every value (envelope.h); "" or NULL: none */
	struct breaker *breakers;	/* PEERS_MAX, zeros at first, perhaps shared; NULL: own ones */
};

enum peer_answer {
	PEER_HIT,
	PEER_MISS,	/* also: something that is not ours was there */
	PEER_DOWN	/* refused, timed out, or no ring is configured */
};

struct peers;

/* NULL and FAIL_INTERNAL when the list of servers is malformed (peer_list.h), or the namespace,
 * or the secret is too short.  Connects lazily; the configuration's strings are not copied. */
struct peers *peers_open(const struct peers_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void peers_close(struct peers *peers);

/* The value is copied into the arena and NUL-terminated. */
enum peer_answer peers_get(struct peers *peers, const struct key *key, struct arena *arena,
    struct span *value);

/* PEER_HIT when stored, PEER_MISS when the value is larger than PEERS_VALUE_MAX
 * or the peer has no room.  Lifetime in seconds, 1 up to 30 days. */
enum peer_answer peers_put(struct peers *peers, const struct key *key, struct span value,
    unsigned lifetime_s);

/* Stores only when the key is absent: PEER_HIT when this call stored it,
 * PEER_MISS when somebody was first. */
enum peer_answer peers_add(struct peers *peers, const struct key *key, struct span value,
    unsigned lifetime_s);

enum peer_answer peers_delete(struct peers *peers, const struct key *key);

/* Unix seconds when the peer that keeps this key last failed to answer anybody who shares
 * the breakers; 0: never.  Whatever was to be changed there at that time was not. */
int64_t peers_failed_at_s(struct peers *peers, const struct key *key);

/* Whether any servers are configured. */
bool peers_is_ring(const struct peers *peers);

/* For a handler of SIGABRT: libmemcached ends the process in an assertion when an
 * answer is out of step with its question.  The peer that is being asked is left alone
 * for retry_after_s by all who share the breakers, so that one that talks nonsense costs
 * a process now and then, and not one after another. */
void peers_blame(struct peers *peers);

/* How many peers there are, and how many answer (each is asked, within the
 * configured timeout). */
void peers_count(struct peers *peers, unsigned *configured, unsigned *alive);

#endif
