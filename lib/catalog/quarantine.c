#include "catalog/quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One digit. */
enum { DEATHS_MAX = 9 };

static struct key
entry_of(const struct asset *asset)
{
	char text[ASSET_ID_MAX + 40];

	snprintf(text, sizeof(text), "quarantine %s %" PRIu64, asset->id, asset->version);
	return key_of(span_of(text));
}

static bool
is_printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

void
quarantine_print(const struct quarantine *quarantine, struct text *out)
{
	text_printf(out, "%u ", quarantine->deaths < DEATHS_MAX ? quarantine->deaths : DEATHS_MAX);
	for (const char *at = quarantine->reason; *at != '\0'; at++)
		text_add_char(out, is_printable(*at) ? *at : '?');
}

bool
quarantine_parse(struct span text, struct quarantine *quarantine)
{
	struct span count = span_cut(&text, ' ');

	*quarantine = (struct quarantine){ 0 };
	if (count.length != 1 || count.at[0] < '1' || count.at[0] > '0' + DEATHS_MAX || text.at == NULL ||
	    text.length > QUARANTINE_REASON_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!is_printable(text.at[i]))
			return false;
	quarantine->deaths = (unsigned)(count.at[0] - '0');
	memcpy(quarantine->reason, text.at, text.length);
	return true;
}

static void
find(struct peers *peers, const struct key *entry, struct arena *arena, struct quarantine *quarantine)
{
	struct span value;

	if (peers_get(peers, entry, arena, &value) != PEER_HIT || !quarantine_parse(value, quarantine))
		*quarantine = (struct quarantine){ 0 };
}

void
quarantine_find(struct peers *peers, const struct asset *asset, struct quarantine *quarantine)
{
	struct arena *arena = arena_new();
	struct key entry = entry_of(asset);

	find(peers, &entry, arena, quarantine);
	arena_free(arena);
}

void
quarantine_count(struct peers *peers, const struct asset *asset, const char *reason)
{
	struct arena *arena = arena_new();
	struct key entry = entry_of(asset);
	struct quarantine quarantine;
	struct text text;

	find(peers, &entry, arena, &quarantine);
	quarantine.deaths++;
	snprintf(quarantine.reason, sizeof(quarantine.reason), "%s", reason);
	text_init(&text, arena, QUARANTINE_PRINTED_MAX);
	quarantine_print(&quarantine, &text);
	(void)peers_put(peers, &entry, text_span(&text), QUARANTINE_S);
	arena_free(arena);
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
