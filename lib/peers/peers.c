/*
 * A peer is chosen by rendezvous hashing: of all peers the one whose name makes the
 * highest number with the key (Thaler and Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998).  One that is taken out of the configuration, or put in,
 * moves only its own share of the keys.
 */
#include "peers/peers.h"

#include "base/check.h"
#include "peers/envelope.h"
#include "peers/peer.h"
#include "peers/peer_list.h"
#include "peers/roll_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond 30 days memcached takes the number for a date (protocol.txt, "Expiration times"). */
enum { LIFETIME_MAX_S = 30 * 24 * 3600 };

static const char usual_namespace[] = "vitrine";

struct full_key {
	char text[PEERS_NAMESPACE_MAX + 1 + KEY_HEX + 1];
};

struct peers {
	const char *namespace;
	struct peer_list list;
	struct peer peers[PEERS_MAX];
	uint64_t numbers[PEERS_MAX];	/* of their names */
	struct breaker *breakers, own_breakers[PEERS_MAX];
	struct arena *scratch;
	unsigned retry_after_ms;
	unsigned roll_call_ms;
};

/* Its first 64 bits. */
static uint64_t
number_of(const struct key *key)
{
	char digits[16 + 1] = "";

	memcpy(digits, key->hex, sizeof(digits) - 1);
	return strtoull(digits, NULL, 16);
}

static uint64_t
number_of_name(const struct peer_address *address)
{
	char name[PEER_HOST_MAX + 8];
	int length = snprintf(name, sizeof(name), "%s:%u", address->host, (unsigned)address->port);
	struct key key = key_of(span_range(name, (size_t)length));

	return number_of(&key);
}

/* The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
 * number generators", 2014): every bit of both decides about every bit of the score. */
static uint64_t
score_of(uint64_t peer, uint64_t key)
{
	uint64_t score = peer ^ key;

	score = (score ^ score >> 30) * 0xbf58476d1ce4e5b9;
	score = (score ^ score >> 27) * 0x94d049bb133111eb;
	return score ^ score >> 31;
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

struct peers *
peers_open(const struct peers_config *config, struct failure *why)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	CHECK(peers != NULL);
	CHECK(config->connect_timeout_ms > 0 && config->timeout_ms > 0);
	peers->namespace = config->namespace != NULL ? config->namespace : usual_namespace;
	if (!check_namespace(peers->namespace, why) ||
	    !peer_list_parse(span_of(config->servers), &peers->list, why)) {
		free(peers);
		return NULL;
	}
	for (unsigned i = 0; i < peers->list.count; i++) {
		peer_init(&peers->peers[i], &peers->list.peers[i], config->connect_timeout_ms, config->timeout_ms);
		peers->numbers[i] = number_of_name(&peers->list.peers[i]);
	}
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
	for (unsigned i = 0; i < peers->list.count; i++)
		peer_release(&peers->peers[i]);
	arena_free(peers->scratch);
	free(peers);
}

static struct full_key
full_key_of(const struct peers *peers, const struct key *key)
{
	struct full_key full;

	snprintf(full.text, sizeof(full.text), "%s:%s", peers->namespace, key->hex);
	return full;
}

/* The number of the peer that keeps this key. */
static unsigned
place_of(const struct peers *peers, const struct key *key)
{
	uint64_t number = number_of(key), highest = 0;
	unsigned place = 0;

	for (unsigned i = 0; i < peers->list.count; i++) {
		uint64_t score = score_of(peers->numbers[i], number);

		if (i == 0 || score > highest) {
			highest = score;
			place = i;
		}
	}
	return place;
}

/* The peer that keeps this key, if there is one and it may be asked. */
static struct peer *
peer_for(struct peers *peers, const struct key *key)
{
	unsigned place = place_of(peers, key);

	if (peers->list.count == 0 || !breaker_allows(&peers->breakers[place], peers->retry_after_ms))
		return NULL;
	return &peers->peers[place];
}

static enum peer_answer
answer_of(struct peers *peers, const struct peer *peer, enum peer_outcome outcome)
{
	struct breaker *breaker = &peers->breakers[peer - peers->peers];

	switch (outcome) {
	case PEER_FOUND:
		breaker_close(breaker);
		return PEER_HIT;
	case PEER_NOT:
		breaker_close(breaker);
		return PEER_MISS;
	case PEER_CUT:
	case PEER_LATE:
	case PEER_NONSENSE:
		break;
	}
	breaker_open(breaker, peers->retry_after_ms);
	return PEER_DOWN;
}

enum peer_answer
peers_get(struct peers *peers, const struct key *key, struct arena *arena, struct span *value)
{
	struct full_key full = full_key_of(peers, key);
	struct peer *peer = peer_for(peers, key);
	enum peer_answer answer;
	struct span wrapped;

	if (peer == NULL)
		return PEER_DOWN;
	answer = answer_of(peers, peer, peer_get(peer, full.text, ENVELOPE_BYTES + PEERS_VALUE_MAX, arena, &wrapped));
	if (answer == PEER_HIT && !envelope_open(key, wrapped, value))
		return PEER_MISS;
	return answer;
}

static enum peer_answer
store(struct peers *peers, const char *verb, const struct key *key, struct span value, unsigned lifetime_s)
{
	struct full_key full = full_key_of(peers, key);
	enum peer_outcome outcome;
	struct peer *peer;

	CHECK(lifetime_s >= 1 && lifetime_s <= LIFETIME_MAX_S);
	if (value.length > PEERS_VALUE_MAX)
		return PEER_MISS;
	peer = peer_for(peers, key);
	if (peer == NULL)
		return PEER_DOWN;
	outcome = peer_store(peer, verb, full.text, envelope_wrap(key, value, peers->scratch), lifetime_s);
	arena_reset(peers->scratch);
	return answer_of(peers, peer, outcome);
}

enum peer_answer
peers_put(struct peers *peers, const struct key *key, struct span value, unsigned lifetime_s)
{
	return store(peers, "set", key, value, lifetime_s);
}

enum peer_answer
peers_add(struct peers *peers, const struct key *key, struct span value, unsigned lifetime_s)
{
	return store(peers, "add", key, value, lifetime_s);
}

enum peer_answer
peers_delete(struct peers *peers, const struct key *key)
{
	struct full_key full = full_key_of(peers, key);
	struct peer *peer = peer_for(peers, key);

	return peer == NULL ? PEER_DOWN : answer_of(peers, peer, peer_delete(peer, full.text));
}

void
peers_count(struct peers *peers, unsigned *configured, unsigned *alive)
{
	*configured = peers->list.count;
	*alive = roll_call(peers->peers, peers->list.count, peers->roll_call_ms);
}
