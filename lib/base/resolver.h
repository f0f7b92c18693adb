/*
 * resolver - the addresses of a host name, in bounded time.
 *
 * getaddrinfo() waits for a silent DNS server as long as it likes, half a minute
 * and more.  Here threads of the C library wait (getaddrinfo_a); the caller
 * goes away when its time is up, and the next one starts another look-up, because the
 * first sleeps for seconds before it repeats its question.  When no new answer is
 * to be had, the last good one is used, for an hour; so servers are found while
 * DNS is down.
 *
 * One struct resolver for each name and process, after fork; all zeros at first.
 * Addresses are answered at once, without any of this.
 */
#ifndef BASE_RESOLVER_H
#define BASE_RESOLVER_H

#include "base/deadline.h"
#include "base/failure.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

enum {
	LOOK_UPS_MAX = 4,	/* of one name at once */
	ADDRESSES_MAX = 8,	/* of one name; more are not tried */
	ADDRESS_BYTES = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE,	/* fe80::1%eth0 */
	ADDRESSES_KEPT_S = 3600
};

struct addresses {
	char texts[ADDRESSES_MAX][ADDRESS_BYTES];	/* in the order in which to try them (RFC 6724) */
	unsigned count;
};

struct resolver {
	struct look_up *pending[LOOK_UPS_MAX];	/* not answered yet when we looked last, or NULL */
	struct addresses known;
	struct deadline known_until;
};

/* The addresses for stream sockets, at least one.  Waits until the deadline; when old ones
 * are known only for half of that, so that there is time to use them.  FAIL_TIMEOUT,
 * FAIL_UNAVAILABLE. */
bool resolver_find(struct resolver *resolver, const char *host, struct deadline deadline,
    struct addresses *addresses, struct failure *why) __attribute__((warn_unused_result));

void resolver_release(struct resolver *resolver);

#endif
