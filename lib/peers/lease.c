#include "peers/lease.h"

#include <stdio.h>

static const char at_work[] = "at work", alone[] = "alone";

static struct key
entry_of(const struct key *name)
{
	char text[sizeof("lease ") + KEY_HEX];

	snprintf(text, sizeof(text), "lease %s", name->hex);
	return key_of(span_of(text));
}

static enum lease_answer
look(struct peers *peers, const struct key *entry)
{
	struct arena *arena = arena_new();
	struct span value;
	enum lease_answer answer;

	switch (peers_get(peers, entry, arena, &value)) {
	case PEER_HIT:
		answer = span_equals(value, alone) ? LEASE_UNNEEDED : LEASE_THEIRS;
		break;
	case PEER_MISS:		/* it has just ended: the next look will take it */
		answer = LEASE_THEIRS;
		break;
	default:
		answer = LEASE_UNNEEDED;
		break;
	}
	arena_free(arena);
	return answer;
}

enum lease_answer
lease_take(struct peers *peers, const struct key *name)
{
	struct key entry = entry_of(name);

	switch (peers_add(peers, &entry, span_of(at_work), LEASE_S)) {
	case PEER_HIT:
		return LEASE_OURS;
	case PEER_MISS:
		return look(peers, &entry);
	default:
		return LEASE_UNNEEDED;
	}
}

void
lease_renew(struct peers *peers, const struct key *name)
{
	struct key entry = entry_of(name);

	(void)peers_put(peers, &entry, span_of(at_work), LEASE_S);
}

void
lease_end(struct peers *peers, const struct key *name)
{
	struct key entry = entry_of(name);

	(void)peers_delete(peers, &entry);
}

void
lease_end_alone(struct peers *peers, const struct key *name)
{
	struct key entry = entry_of(name);

	(void)peers_put(peers, &entry, span_of(alone), LEASE_S);
}
