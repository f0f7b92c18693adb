/*
 * lease - who of all servers makes a thing that all of them want.
 *
 * A lease is an entry in the ring that only one server can add and that ends by
 * itself after LEASE_S, so nobody waits for a dead holder longer than that;
 * the holder renews it while it works.  It saves work and guards nothing: when the ring
 * loses it, or two servers believe to have it, both make the thing, and that is all.
 */
#ifndef PEERS_LEASE_H
#define PEERS_LEASE_H

#include "base/digest.h"
#include "peers/peers.h"

enum { LEASE_S = 3 };

enum lease_answer {
	LEASE_OURS,
	LEASE_THEIRS,		/* wait, and look for the thing meanwhile */
	LEASE_UNNEEDED		/* no ring, or the holder has said that it will not share: do it alone */
};

/* name: of the thing that is made. */
enum lease_answer lease_take(struct peers *peers, const struct key *name);
void lease_renew(struct peers *peers, const struct key *name);

/* The thing is in the ring, or it failed: the next one may try. */
void lease_end(struct peers *peers, const struct key *name);

/* The thing cannot be shared: who waits for it need not wait for the next holder either. */
void lease_end_alone(struct peers *peers, const struct key *name);

#endif
