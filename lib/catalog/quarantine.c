#include "catalog/quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct key
entry_of(const struct asset *asset)
{
	char text[ASSET_ID_MAX + 40];

	snprintf(text, sizeof(text), "quarantine %s %" PRIu64, asset->id, asset->version);
	return key_of(span_of(text));
}

static bool
is_printable(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < 0x20 || text.at[i] > 0x7e)
			return false;
	return true;
}

/* "2 the renderer died of this image"; anything else is no record. */
static bool
parse(struct span text, struct quarantine *quarantine)
{
	struct span count = span_cut(&text, ' ');

	if (count.length != 1 || count.at[0] < '1' || count.at[0] > '9' || text.at == NULL ||
	    text.length > QUARANTINE_REASON_MAX || !is_printable(text))
		return false;
	quarantine->deaths = (unsigned)(count.at[0] - '0');
	memcpy(quarantine->reason, text.at, text.length);
	return true;
}

void
quarantine_find(struct peers *peers, const struct asset *asset, struct quarantine *quarantine)
{
	struct arena *arena = arena_new();
	struct key entry = entry_of(asset);
	struct span value;

	*quarantine = (struct quarantine){ 0 };
	if (peers_get(peers, &entry, arena, &value) == PEER_HIT && !parse(value, quarantine))
		*quarantine = (struct quarantine){ 0 };
	arena_free(arena);
}

void
quarantine_count(struct peers *peers, const struct asset *asset, const char *reason)
{
	struct key entry = entry_of(asset);
	struct quarantine quarantine;
	char text[QUARANTINE_REASON_MAX + 4];

	quarantine_find(peers, asset, &quarantine);
	snprintf(text, sizeof(text), "%u %.*s", quarantine.deaths < 9 ? quarantine.deaths + 1 : 9,
	    QUARANTINE_REASON_MAX, reason);
	(void)peers_put(peers, &entry, span_of(text), QUARANTINE_S);
}

enum peer_answer
quarantine_release(struct peers *peers, const struct asset *asset)
{
	struct key entry = entry_of(asset);

	return peers_delete(peers, &entry);
}

bool
quarantine_permits(const struct quarantine *quarantine, struct failure *why)
{
	if (quarantine->deaths < QUARANTINE_DEATHS)
		return true;
	return fail(why, FAIL_CRASHED,
	    "it has ended %u renderers and is left alone for a while; the last time: %s",
	    quarantine->deaths, quarantine->reason);
}
