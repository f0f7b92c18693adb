/*
 * Built on libmemcached 1.1, text protocol; the only file that includes it.
 *
 * The library never ejects a server here, so the ring does not move, and it
 * never decides on its own to leave one alone: it counts refused connections
 * but not timeouts, so a frozen peer would cost every request its timeout.  We
 * keep a breaker for each peer and ask the library only for the others.
 *
 * BUGS: the library resolves host names when it connects, without a time
 * limit: configure addresses, or names from /etc/hosts.  The timeout holds for each
 * wait on the socket, so a peer that sends a large value slowly can take longer.
 * An answer out of step with its question ends the process in an assertion of the
 * library (awesomized/libmemcached issue 156): see peers_blame().
 */
#include "peers/peers.h"

#include "base/check.h"
#include "peers/envelope.h"
#include "peers/peer_list.h"
#include "peers/roll_call.h"

#include <libmemcached/memcached.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond 30 days memcached takes the number for a date (protocol.txt, "Expiration times"). */
enum { LIFETIME_MAX_S = 30 * 24 * 3600 };

static const char usual_namespace[] = "vitrine";

struct full_key {
	char text[PEERS_NAMESPACE_MAX + 1 + KEY_HEX + 1];
	size_t length;
};

struct peers {
	const char *namespace;
	struct span secret;
	memcached_st *ring;		/* NULL when no servers are configured */
	struct peer_list list;		/* in the order in which the ring numbers them */
	struct breaker *breakers, own_breakers[PEERS_MAX];
	struct breaker *volatile asked;	/* whose answer the library is reading; NULL: nobody's */
	struct arena *scratch;
	unsigned retry_after_ms;
	unsigned roll_call_ms;
};

static void
set(memcached_st *ring, memcached_behavior_t behavior, uint64_t value)
{
	CHECK(memcached_behavior_set(ring, behavior, value) == MEMCACHED_SUCCESS);
}

static memcached_st *
ring_new(const struct peers_config *config, const struct peer_list *list)
{
	memcached_st *ring = memcached_create(NULL);

	CHECK(ring != NULL);
	/* Before the servers: some of these lay the ring out again or hang up. */
	set(ring, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	set(ring, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, config->connect_timeout_ms);
	set(ring, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, config->timeout_ms);
	/* No pauses of its own making: see above. */
	set(ring, MEMCACHED_BEHAVIOR_SERVER_FAILURE_LIMIT, 1000000);
	set(ring, MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 0);
	set(ring, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
	set(ring, MEMCACHED_BEHAVIOR_TCP_KEEPALIVE, 1);
	set(ring, MEMCACHED_BEHAVIOR_VERIFY_KEY, 1);
	for (unsigned i = 0; i < list->count; i++)
		CHECK(memcached_server_add_with_weight(ring, list->peers[i].host, list->peers[i].port, 1) ==
		    MEMCACHED_SUCCESS);
	return ring;
}

static bool
check_namespace(const char *namespace, struct failure *why)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t length = strspn(namespace, allowed);

	if (length == 0 || length > PEERS_NAMESPACE_MAX || namespace[length] != '\0')
		return fail(why, FAIL_INTERNAL, "the namespace of the peers takes 1 to %d letters, digits, - and _",
		    PEERS_NAMESPACE_MAX);
	return true;
}

static bool
check_secret(struct span secret, struct failure *why)
{
	return secret.length == 0 || secret.length >= PEERS_SECRET_MIN || fail(why, FAIL_INTERNAL,
	    "the secret of the peers has %zu bytes, at least %d", secret.length, PEERS_SECRET_MIN);
}

struct peers *
peers_open(const struct peers_config *config, struct failure *why)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	CHECK(peers != NULL);
	CHECK(config->connect_timeout_ms > 0 && config->timeout_ms > 0);
	peers->namespace = config->namespace != NULL ? config->namespace : usual_namespace;
	peers->secret = span_of(config->secret != NULL ? config->secret : "");
	if (!check_namespace(peers->namespace, why) || !check_secret(peers->secret, why) ||
	    !peer_list_parse(span_of(config->servers), &peers->list, why)) {
		free(peers);
		return NULL;
	}
	if (peers->list.count > 0)
		peers->ring = ring_new(config, &peers->list);
	peers->scratch = arena_new();
	peers->breakers = config->breakers != NULL ? config->breakers : peers->own_breakers;
	peers->retry_after_ms = config->retry_after_s * 1000;
	peers->roll_call_ms = config->connect_timeout_ms + config->timeout_ms;
	return peers;
}

void
peers_close(struct peers *peers)
{
	if (peers == NULL)
		return;
	if (peers->ring != NULL)
		memcached_free(peers->ring);
	arena_free(peers->scratch);
	free(peers);
}

static struct full_key
full_key_of(const struct peers *peers, const struct key *key)
{
	struct full_key full;

	full.length = (size_t)snprintf(full.text, sizeof(full.text), "%s:%s", peers->namespace, key->hex);
	return full;
}

/* Of the peer that keeps this key. */
static struct breaker *
breaker_of(struct peers *peers, const struct full_key *key)
{
	uint32_t index = memcached_generate_hash(peers->ring, key->text, key->length);

	CHECK(index < peers->list.count);
	return &peers->breakers[index];
}

/* Until its answer is known, the peer is the one to blame. */
static bool
may_be_asked(struct peers *peers, const struct full_key *key)
{
	if (peers->ring == NULL || !breaker_allows(breaker_of(peers, key), peers->retry_after_ms))
		return false;
	peers->asked = breaker_of(peers, key);
	return true;
}

static enum peer_answer
answer_of(struct peers *peers, const struct full_key *key, memcached_return_t result)
{
	peers->asked = NULL;
	switch (result) {
	case MEMCACHED_SUCCESS:
	case MEMCACHED_STORED:
	case MEMCACHED_DELETED:
		breaker_close(breaker_of(peers, key));
		return PEER_HIT;
	case MEMCACHED_NOTFOUND:
	case MEMCACHED_NOTSTORED:
	case MEMCACHED_DATA_EXISTS:
	case MEMCACHED_E2BIG:
	case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
		breaker_close(breaker_of(peers, key));
		return PEER_MISS;
	default:
		breaker_open(breaker_of(peers, key), peers->retry_after_ms);
		return PEER_DOWN;
	}
}

/* A connection on which the peer had hung up, because it was started again,
 * fails at first use.  The next attempt connects anew and knows the truth.  Every
 * command may be repeated: a peer that ended forgot what the first one did. */
static bool
is_worth_another_attempt(memcached_return_t result)
{
	return result == MEMCACHED_CONNECTION_FAILURE || result == MEMCACHED_WRITE_FAILURE ||
	    result == MEMCACHED_ERRNO;
}

enum peer_answer
peers_get(struct peers *peers, const struct key *key, struct arena *arena, struct span *value)
{
	struct full_key full = full_key_of(peers, key);
	memcached_return_t result = MEMCACHED_FAILURE;
	enum peer_answer answer;
	char *found = NULL;
	size_t length = 0;
	uint32_t flags;

	if (!may_be_asked(peers, &full))
		return PEER_DOWN;
	for (int attempt = 0; attempt < 2; attempt++) {
		found = memcached_get(peers->ring, full.text, full.length, &length, &flags, &result);
		if (!is_worth_another_attempt(result))
			break;
	}
	answer = answer_of(peers, &full, result);
	if (answer == PEER_HIT) {
		if (envelope_open(key, peers->secret, span_range(found, length), value))
			value->at = arena_copy_bytes(arena, value->at, value->length);
		else
			answer = PEER_MISS;
	}
	free(found);
	return answer;
}

typedef memcached_return_t store_command(memcached_st *ring, const char *key, size_t key_length,
    const char *value, size_t value_length, time_t expiration, uint32_t flags);

static enum peer_answer
store(struct peers *peers, store_command *command, const struct key *key, struct span value,
    unsigned lifetime_s)
{
	struct full_key full = full_key_of(peers, key);
	memcached_return_t result = MEMCACHED_FAILURE;
	struct span wrapped;

	CHECK(lifetime_s >= 1 && lifetime_s <= LIFETIME_MAX_S);
	if (value.length > PEERS_VALUE_MAX)
		return PEER_MISS;
	if (!may_be_asked(peers, &full))
		return PEER_DOWN;
	wrapped = envelope_wrap(key, peers->secret, value, peers->scratch);
	for (int attempt = 0; attempt < 2; attempt++) {
		result = command(peers->ring, full.text, full.length, wrapped.at, wrapped.length,
		    (time_t)lifetime_s, 0);
		if (!is_worth_another_attempt(result))
			break;
	}
	arena_reset(peers->scratch);
	return answer_of(peers, &full, result);
}

enum peer_answer
peers_put(struct peers *peers, const struct key *key, struct span value, unsigned lifetime_s)
{
	return store(peers, memcached_set, key, value, lifetime_s);
}

enum peer_answer
peers_add(struct peers *peers, const struct key *key, struct span value, unsigned lifetime_s)
{
	return store(peers, memcached_add, key, value, lifetime_s);
}

enum peer_answer
peers_delete(struct peers *peers, const struct key *key)
{
	struct full_key full = full_key_of(peers, key);
	memcached_return_t result = MEMCACHED_FAILURE;

	if (!may_be_asked(peers, &full))
		return PEER_DOWN;
	for (int attempt = 0; attempt < 2; attempt++) {
		result = memcached_delete(peers->ring, full.text, full.length, 0);
		if (!is_worth_another_attempt(result))
			break;
	}
	return answer_of(peers, &full, result);
}

int64_t
peers_failed_at_s(struct peers *peers, const struct key *key)
{
	struct full_key full = full_key_of(peers, key);

	return peers->ring != NULL ? breaker_failed_at_s(breaker_of(peers, &full)) : 0;
}

bool
peers_is_ring(const struct peers *peers)
{
	return peers->ring != NULL;
}

void
peers_blame(struct peers *peers)
{
	if (peers->asked != NULL)
		breaker_open(peers->asked, peers->retry_after_ms);
}

void
peers_count(struct peers *peers, unsigned *configured, unsigned *alive)
{
	*configured = peers->list.count;
	*alive = roll_call(&peers->list, peers->roll_call_ms);
}
