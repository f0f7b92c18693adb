#include "catalog/asset_ring.h"

#include "base/check.h"
#include "catalog/chance.h"

#include <string.h>
#include <time.h>

static struct key
key_for(const char *purpose, struct span id)
{
	char text[ASSET_ID_MAX + 32];
	size_t length = strlen(purpose);

	CHECK(id.length <= ASSET_ID_MAX && length + id.length <= sizeof(text));
	memcpy(text, purpose, length);
	memcpy(text + length, id.at, id.length);
	return key_of(span_range(text, length + id.length));
}

static struct key
entry_key(struct span id)
{
	return key_for("asset ", id);
}

static struct key
refresh_key(struct span id)
{
	return key_for("asset refresh ", id);
}

/* Between the clocks of two servers. */
enum { CLOCKS_DIFFER_S = 2 };

/* Asked after the peer has answered: what it failed at before is noted by then. */
static bool
is_doubtful(struct asset_ring *ring, const struct key *key, const struct ring_entry *entry)
{
	int64_t failed_at_s = peers_failed_at_s(ring->peers, key);

	return failed_at_s != 0 && entry->written_at <= failed_at_s + CLOCKS_DIFFER_S;
}

enum ring_answer
asset_ring_find(struct asset_ring *ring, struct span id, struct arena *arena, struct ring_entry *entry)
{
	struct key key = entry_key(id);
	int64_t now = time(NULL);
	struct span text;

	if (peers_get(ring->peers, &key, arena, &text) != PEER_HIT || !ring_entry_parse(text, id, entry) ||
	    now >= entry->valid_until)
		return RING_NOTHING;
	if (is_doubtful(ring, &key, entry))
		return RING_DOUBTFUL;
	if (entry->is_missing)
		return RING_MISSING;
	return now < entry->fresh_until ? RING_FRESH : RING_STALE;
}

bool
asset_ring_begin_refresh(struct asset_ring *ring, struct span id)
{
	struct key key = refresh_key(id);

	return peers_add(ring->peers, &key, span_of("refreshing"), REFRESH_LEASE_S) == PEER_HIT;
}

void
asset_ring_end_refresh(struct asset_ring *ring, struct span id)
{
	struct key key = refresh_key(id);

	peers_delete(ring->peers, &key);
}

/* command is peers_put or peers_add. */
static enum peer_answer
store(struct asset_ring *ring,
    enum peer_answer (*command)(struct peers *, const struct key *, struct span, unsigned),
    struct ring_entry *entry, unsigned soft_s, unsigned hard_s, struct arena *arena)
{
	struct key key = entry_key(span_of(entry->asset.id));
	int64_t now = time(NULL);
	struct text text;

	text_init(&text, arena, RING_ENTRY_MAX);
	entry->written_at = now;
	entry->fresh_until = now + (int64_t)chance_around(soft_s);
	entry->valid_until = now + hard_s;
	ring_entry_print(entry, &text);
	CHECK(!text.was_cut);
	return command(ring->peers, &key, text_span(&text), hard_s);
}

/* Adds; if something is there that no reader of this version understands, it goes. */
static void
add(struct asset_ring *ring, struct ring_entry *entry, unsigned soft_s, unsigned hard_s,
    struct arena *arena)
{
	struct ring_entry *present = arena_alloc(arena, sizeof(*present));

	if (store(ring, peers_add, entry, soft_s, hard_s, arena) == PEER_MISS &&
	    asset_ring_find(ring, span_of(entry->asset.id), arena, present) == RING_NOTHING)
		store(ring, peers_put, entry, soft_s, hard_s, arena);
}

static struct ring_entry *
entry_of(const struct asset *asset, struct arena *arena)
{
	struct ring_entry *entry = arena_alloc(arena, sizeof(*entry));

	entry->asset = *asset;
	return entry;
}

void
asset_ring_add(struct asset_ring *ring, const struct asset *asset, struct arena *arena)
{
	add(ring, entry_of(asset, arena), ring->soft_lifetime_s, ring->hard_lifetime_s, arena);
}

void
asset_ring_add_missing(struct asset_ring *ring, struct span id, struct arena *arena)
{
	struct ring_entry *entry = arena_alloc(arena, sizeof(*entry));
	unsigned lifetime_s = (unsigned)chance_around(ring->negative_lifetime_s);

	entry->is_missing = true;
	memcpy(entry->asset.id, id.at, id.length);
	add(ring, entry, lifetime_s, lifetime_s > 0 ? lifetime_s : 1, arena);
}

bool
asset_ring_replace(struct asset_ring *ring, const struct asset *asset, uint64_t replaced,
    struct arena *arena)
{
	struct span id = span_of(asset->id);
	struct ring_entry *present = arena_alloc(arena, sizeof(*present));

	switch (asset_ring_find(ring, id, arena, present)) {
	case RING_FRESH:
	case RING_STALE:
	case RING_DOUBTFUL:
		/* The one that is to be replaced may be newer than the database,
		 * when that was restored from a backup. */
		if (present->asset.version > asset->version && present->asset.version != replaced)
			return true;
		break;
	case RING_MISSING:
	case RING_NOTHING:
		break;
	}
	return store(ring, peers_put, entry_of(asset, arena), ring->soft_lifetime_s, ring->hard_lifetime_s,
	    arena) == PEER_HIT || asset_ring_forget(ring, id);
}

bool
asset_ring_forget(struct asset_ring *ring, struct span id)
{
	struct key key = entry_key(id);

	return peers_delete(ring->peers, &key) != PEER_DOWN || !peers_is_ring(ring->peers);
}
