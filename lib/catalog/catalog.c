#include "catalog/catalog.h"

#include "base/check.h"
#include "catalog/asset_ring.h"
#include "catalog/asset_row.h"
#include "catalog/asset_search.h"
#include "catalog/heartbeat.h"
#include "catalog/servers.h"
#include "catalog/untold.h"

#include <stdlib.h>
#include <string.h>

/* Rows of one page of catalog_list(): half a megabyte of memory. */
#define LIST_PAGE_TEXT "100"
enum { LIST_PAGE = 100 };

static const char find_statement[] = "SELECT " ASSET_ROW_COLUMNS " FROM asset WHERE id = ?";
static const char find_by_key_statement[] =
    "SELECT " ASSET_ROW_COLUMNS " FROM asset WHERE origin = ? AND object_key = ?";
static const char list_statement[] =
    "SELECT " ASSET_ROW_COLUMNS " FROM asset WHERE id > ? ORDER BY id LIMIT " LIST_PAGE_TEXT;
static const char insert_statement[] = ASSET_ROW_INSERT;
static const char update_statement[] = ASSET_ROW_UPDATE;
static const char set_statement[] = ASSET_ROW_SET;
static const char purge_statement[] =
    "UPDATE asset SET etag = '', " ASSET_ROW_BUMP;
static const char probe_statement[] = "SELECT IF(@@global.read_only OR @@global.innodb_read_only, 1, 0)";

struct catalog {
	struct catalog_config config;
	struct servers servers;
	struct catalog_health own_health;	/* unless the configuration has one */
	struct heartbeat heartbeat;
	struct asset_search search;
	struct asset_ring ring;
	struct untold *untold;
	struct arena *scratch;	/* emptied at the end of every call */
};

const char *
catalog_tier_name(enum catalog_tier tier)
{
	static const char *const names[CATALOG_TIER_COUNT] = {
		[CATALOG_PEER] = "peer",
		[CATALOG_REPLICA] = "replica",
		[CATALOG_PRIMARY] = "primary",
		[CATALOG_LATE] = "late",
	};

	return names[tier];
}

struct catalog *
catalog_open(const struct catalog_config *config, struct peers *peers)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));

	CHECK(catalog != NULL);
	CHECK(peers != NULL);
	catalog->config = *config;
	if (config->health == NULL)
		catalog->config.health = &catalog->own_health;
	catalog->scratch = arena_new();
	servers_init(&catalog->servers, &catalog->config);
	catalog->heartbeat = (struct heartbeat){
		.servers = &catalog->servers,
		.health = catalog->config.health,
		.arena = catalog->scratch,
		.max_lag_s = config->max_lag_s
	};
	catalog->search = (struct asset_search){ &catalog->servers, &catalog->heartbeat, catalog->scratch };
	catalog->ring = (struct asset_ring){
		.peers = peers,
		.soft_lifetime_s = config->soft_lifetime_s,
		.hard_lifetime_s = config->hard_lifetime_s,
		.negative_lifetime_s = config->negative_lifetime_s
	};
	return catalog;
}

void
catalog_close(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	servers_release(&catalog->servers);
	arena_free(catalog->scratch);
	free(catalog->untold);
	free(catalog);
}

/* ---- asking the database ------------------------------------------------------------- */

struct found {
	bool is_found;
	struct asset asset;
	struct failure why;	/* of a row that is there but wrong */
};

static bool
take_row(void *state, const struct database_row *row)
{
	struct found *found = state;

	found->is_found = asset_row_read(row, &found->asset, &found->why);
	return false;	/* ids and keys are unique */
}

static struct database_value
text_value(struct span text)
{
	return (struct database_value){ .type = DATABASE_TEXT, .text = text };
}

static bool
ask_primary_for_row(struct catalog *catalog, const struct query *query, struct found *found,
    struct deadline deadline, struct failure *why)
{
	enum database_trouble trouble;

	if (!servers_ask_primary(&catalog->servers, query, NULL, deadline, &trouble, why))
		return false;
	if (found->why.kind != FAIL_NONE) {
		*why = found->why;
		return false;
	}
	return true;
}

/* ---- finding ------------------------------------------------------------------------- */

static bool
not_found(struct span id, struct failure *why)
{
	return fail(why, FAIL_NOT_FOUND, "no asset %.*s", SPAN_ARGS(id));
}

/* A row that is merely old is served as it is when the database does not answer
 * within this: a hit must not wait for a server that hangs. */
enum { REFRESH_MS = 200 };

/* The ring has an entry past its soft lifetime.  Whatever happens to the
 * database, there is an answer. */
static bool
find_stale(struct catalog *catalog, const struct asset *stale, struct deadline deadline,
    struct asset *asset, enum catalog_tier *tier, struct failure *why)
{
	struct span id = span_of(stale->id);
	struct failure trouble = { 0 };
	enum sighting sighting;

	*tier = CATALOG_PEER;
	*asset = *stale;
	if (!asset_ring_begin_refresh(&catalog->ring, id))
		return true;
	sighting = asset_search(&catalog->search, id, stale->version, deadline_within_ms(deadline, REFRESH_MS), asset,
	    &trouble);
	switch (sighting) {
	case SEEN_ON_REPLICA:
	case SEEN_ON_PRIMARY:
		*tier = sighting == SEEN_ON_REPLICA ? CATALOG_REPLICA : CATALOG_PRIMARY;
		asset_ring_replace(&catalog->ring, asset, stale->version, catalog->scratch);
		asset_ring_end_refresh(&catalog->ring, id);
		return true;
	case MISSING:
		*tier = CATALOG_PRIMARY;
		asset_ring_forget(&catalog->ring, id);
		asset_ring_add_missing(&catalog->ring, id, catalog->scratch);
		asset_ring_end_refresh(&catalog->ring, id);
		return not_found(id, why);
	case SEEN_LATE:
	case MISSING_LATE:
	case NOBODY_ANSWERED:
		break;
	}
	return true;
}

static enum catalog_tier
tier_of(enum sighting sighting)
{
	switch (sighting) {
	case SEEN_ON_REPLICA:
		return CATALOG_REPLICA;
	case SEEN_LATE:
	case MISSING_LATE:
		return CATALOG_LATE;
	default:
		return CATALOG_PRIMARY;
	}
}

/* The ring has nothing, or an entry that is not believed: `doubted`, else NULL. */
static bool
find_and_remember(struct catalog *catalog, struct span id, uint64_t seen_version, const struct ring_entry *doubted,
    struct deadline deadline, struct asset *asset, enum catalog_tier *tier, struct failure *why)
{
	enum sighting sighting = asset_search(&catalog->search, id, seen_version, deadline, asset, why);

	*tier = tier_of(sighting);
	switch (sighting) {
	case SEEN_ON_REPLICA:
	case SEEN_ON_PRIMARY:
		if (doubted == NULL)
			asset_ring_add(&catalog->ring, asset, catalog->scratch);
		else
			asset_ring_replace(&catalog->ring, asset, doubted->asset.version, catalog->scratch);
		return true;
	case MISSING:
		if (doubted != NULL)
			asset_ring_forget(&catalog->ring, id);
		asset_ring_add_missing(&catalog->ring, id, catalog->scratch);
		return not_found(id, why);
	case SEEN_LATE:
		/* Good enough an answer, but not to be remembered. */
		failure_clear(why);
		return true;
	case MISSING_LATE:
		failure_clear(why);
		return not_found(id, why);
	case NOBODY_ANSWERED:
		/* A database that hangs is as good as down: come back later. */
		if (why->kind == FAIL_TIMEOUT)
			why->kind = FAIL_UNAVAILABLE;
		break;
	}
	return false;
}

/* It may be wrong and not only old, so the database may take its time; but it is
 * better than an error. */
enum { DOUBT_MS = 1000 };

/* The ring has an entry that may have missed a purge. */
static bool
find_doubtful(struct catalog *catalog, const struct ring_entry *doubtful, struct deadline deadline,
    struct asset *asset, enum catalog_tier *tier, struct failure *why)
{
	if (find_and_remember(catalog, span_of(doubtful->asset.id), doubtful->asset.version, doubtful,
	    deadline_within_ms(deadline, DOUBT_MS), asset, tier, why))
		return true;
	if (why->kind == FAIL_NOT_FOUND || doubtful->is_missing)
		return false;
	failure_clear(why);
	*tier = CATALOG_LATE;
	*asset = doubtful->asset;
	return true;
}

static bool
find(struct catalog *catalog, struct span id, uint64_t seen_version, struct deadline deadline,
    struct asset *asset, enum catalog_tier *tier, struct failure *why)
{
	struct ring_entry *entry = arena_alloc(catalog->scratch, sizeof(*entry));
	enum ring_answer answer = asset_ring_find(&catalog->ring, id, catalog->scratch, entry);

	/* An entry without a row has version 0: older than whatever was seen. */
	if (answer == RING_NOTHING || entry->asset.version < seen_version)
		return find_and_remember(catalog, id, seen_version, answer == RING_NOTHING ? NULL : entry, deadline,
		    asset, tier, why);
	if (answer == RING_DOUBTFUL)
		return find_doubtful(catalog, entry, deadline, asset, tier, why);
	if (answer == RING_MISSING)
		return not_found(id, why);
	if (answer == RING_STALE)
		return find_stale(catalog, &entry->asset, deadline, asset, tier, why);
	*asset = entry->asset;
	return true;
}

bool
catalog_find(struct catalog *catalog, struct span id, uint64_t seen_version, struct deadline deadline,
    struct asset *asset, enum catalog_tier *tier, struct failure *why)
{
	bool is_found;

	*tier = CATALOG_PEER;
	if (!asset_id_is_valid(id))
		return not_found(id, why);
	is_found = find(catalog, id, seen_version, deadline, asset, tier, why);
	arena_reset(catalog->scratch);
	return is_found;
}

/* From the primary; leaves the scratch arena to the caller. */
static bool
find_fresh(struct catalog *catalog, const char *statement, const struct database_value *values,
    unsigned count, struct deadline deadline, struct asset *asset, struct failure *why)
{
	struct found *found = arena_alloc(catalog->scratch, sizeof(*found));
	struct query query = {
		.statement = statement, .parameters = values, .parameter_count = count,
		.each = take_row, .state = found, .arena = catalog->scratch
	};

	if (!ask_primary_for_row(catalog, &query, found, deadline, why))
		return false;
	if (!found->is_found)
		return fail(why, FAIL_NOT_FOUND, "no such asset");
	*asset = found->asset;
	return true;
}

bool
catalog_find_fresh(struct catalog *catalog, struct span id, struct deadline deadline,
    struct asset *asset, struct failure *why)
{
	struct database_value key = text_value(id);
	bool is_found;

	if (!asset_id_is_valid(id))
		return not_found(id, why);
	is_found = find_fresh(catalog, find_statement, &key, 1, deadline, asset, why);
	arena_reset(catalog->scratch);
	return is_found;
}

bool
catalog_find_by_key(struct catalog *catalog, struct span origin, struct span key,
    struct deadline deadline, struct asset *asset, struct failure *why)
{
	struct database_value values[] = { text_value(origin), text_value(key) };
	bool is_found;

	is_found = find_fresh(catalog, find_by_key_statement, values, 2, deadline, asset, why);
	arena_reset(catalog->scratch);
	return is_found;
}

/* ---- writing ------------------------------------------------------------------------- */

static void
forget(struct catalog *catalog, struct span id)
{
	if (!asset_ring_forget(&catalog->ring, id))
		untold_add(&catalog->untold, id);
}

/* Runs the statement, which touches the row with this id, and leaves the row as
 * it is now in *asset and in the ring. */
static bool
write_row(struct catalog *catalog, struct span id, const char *statement,
    const struct database_value *values, unsigned count, struct deadline deadline,
    struct asset *asset, struct failure *why)
{
	struct query query = {
		.statement = statement, .parameters = values, .parameter_count = count, .arena = catalog->scratch
	};
	struct database_value key = text_value(id);
	enum database_trouble trouble;
	uint64_t affected = 0;

	if (!servers_ask_primary(&catalog->servers, &query, &affected, deadline, &trouble, why)) {
		/* When the answer was lost the row may have been written. */
		if (trouble == DATABASE_LOST)
			forget(catalog, id);
		if (trouble == DATABASE_DUPLICATE) {
			failure_clear(why);
			return fail(why, FAIL_BAD_REQUEST,
			    "duplicate: another asset has this id, or this origin and key");
		}
		return false;
	}
	if (affected == 0)
		return not_found(id, why);
	if (!find_fresh(catalog, find_statement, &key, 1, deadline, asset, why)) {
		forget(catalog, id);
		return false;
	}
	heartbeat_keep(&catalog->heartbeat, deadline);
	if (!asset_ring_replace(&catalog->ring, asset, 0, catalog->scratch))
		untold_add(&catalog->untold, id);
	return true;
}

/* The values point into the asset, which is overwritten with the new row. */
static bool
write_asset(struct catalog *catalog, const char *statement, const struct database_value *values,
    unsigned count, struct deadline deadline, struct asset *asset, struct failure *why)
{
	struct asset *written = arena_alloc(catalog->scratch, sizeof(*written));
	bool is_written;

	is_written = write_row(catalog, span_of(asset->id), statement, values, count, deadline, written, why);
	if (is_written)
		*asset = *written;
	arena_reset(catalog->scratch);
	return is_written;
}

bool
catalog_insert(struct catalog *catalog, struct asset *asset, struct deadline deadline,
    struct failure *why)
{
	struct database_value values[ASSET_ROW_INSERT_VALUES];

	CHECK(asset_id_is_valid(span_of(asset->id)));
	asset_row_insert_values(asset, values);
	return write_asset(catalog, insert_statement, values, ASSET_ROW_INSERT_VALUES, deadline, asset, why);
}

bool
catalog_update(struct catalog *catalog, struct asset *asset, struct deadline deadline,
    struct failure *why)
{
	struct database_value values[ASSET_ROW_UPDATE_VALUES];

	CHECK(asset_id_is_valid(span_of(asset->id)));
	asset_row_update_values(asset, values);
	return write_asset(catalog, update_statement, values, ASSET_ROW_UPDATE_VALUES, deadline, asset, why);
}

bool
catalog_set(struct catalog *catalog, struct asset *asset, unsigned fields, struct deadline deadline,
    struct failure *why)
{
	struct database_value values[ASSET_ROW_SET_VALUES];

	CHECK(asset_id_is_valid(span_of(asset->id)));
	asset_row_set_values(asset, fields, values);
	return write_asset(catalog, set_statement, values, ASSET_ROW_SET_VALUES, deadline, asset, why);
}

bool
catalog_purge(struct catalog *catalog, struct span id, struct deadline deadline, uint64_t *version,
    struct failure *why)
{
	struct asset *purged;
	struct database_value key = text_value(id);
	bool is_purged;

	if (!asset_id_is_valid(id))
		return not_found(id, why);
	purged = arena_alloc(catalog->scratch, sizeof(*purged));
	is_purged = write_row(catalog, id, purge_statement, &key, 1, deadline, purged, why);
	if (is_purged)
		*version = purged->version;
	arena_reset(catalog->scratch);
	return is_purged;
}

/* What the primary has now: others may have written since. */
static bool
tell(void *state, struct span id, struct deadline deadline)
{
	struct catalog *catalog = state;
	struct asset *asset = arena_alloc(catalog->scratch, sizeof(*asset));
	struct database_value key = text_value(id);
	struct failure why = { 0 };
	bool is_told;

	if (find_fresh(catalog, find_statement, &key, 1, deadline, asset, &why))
		is_told = asset_ring_replace(&catalog->ring, asset, 0, catalog->scratch);
	else
		is_told = why.kind == FAIL_NOT_FOUND && asset_ring_forget(&catalog->ring, id);
	arena_reset(catalog->scratch);
	return is_told;
}

unsigned
catalog_tell_ring(struct catalog *catalog, struct deadline deadline)
{
	return untold_tell(catalog->untold, tell, catalog, deadline);
}

/* ---- listing ------------------------------------------------------------------------- */

struct page {
	struct asset assets[LIST_PAGE];
	unsigned count;
	struct failure why;	/* of the first wrong row, at which the page ends */
};

static bool
add_to_page(void *state, const struct database_row *row)
{
	struct page *page = state;

	CHECK(page->count < LIST_PAGE);
	if (!asset_row_read(row, &page->assets[page->count], &page->why))
		return false;
	page->count++;
	return true;
}

static bool
read_page(struct catalog *catalog, struct span after_id, struct page *page, struct arena *arena,
    struct deadline deadline, struct failure *why)
{
	struct database_value key = text_value(after_id);
	struct query query = {
		.statement = list_statement, .parameters = &key, .parameter_count = 1,
		.each = add_to_page, .state = page, .arena = arena
	};
	enum database_trouble trouble;

	page->count = 0;
	if (servers_ask_replica(&catalog->servers, &query, deadline, why))
		return true;
	failure_clear(why);
	page->count = 0;
	return servers_ask_primary(&catalog->servers, &query, NULL, deadline, &trouble, why);
}

/* each() may use the catalog, so the page has memory of its own. */
static bool
list(struct catalog *catalog, struct span after_id, struct page *page, struct arena *arena,
    struct deadline deadline, bool (*each)(void *state, const struct asset *asset), void *state,
    struct failure *why)
{
	do {
		if (!read_page(catalog, after_id, page, arena, deadline, why))
			return false;
		arena_reset(arena);
		for (unsigned i = 0; i < page->count; i++)
			if (!each(state, &page->assets[i]))
				return true;
		if (page->why.kind != FAIL_NONE) {
			*why = page->why;
			return false;
		}
		if (page->count > 0)
			after_id = span_of(page->assets[page->count - 1].id);
	} while (page->count == LIST_PAGE);
	return true;
}

bool
catalog_list(struct catalog *catalog, struct span after_id, struct deadline deadline,
    bool (*each)(void *state, const struct asset *asset), void *state, struct failure *why)
{
	struct page *page = calloc(1, sizeof(*page));
	struct arena *arena = arena_new();
	bool is_listed;

	CHECK(page != NULL);
	is_listed = list(catalog, after_id, page, arena, deadline, each, state, why);
	arena_free(arena);
	free(page);
	return is_listed;
}

/* ---- health -------------------------------------------------------------------------- */

static bool
take_read_only(void *state, const struct database_row *row)
{
	struct catalog_server_state *server = state;

	server->takes_writes = row->columns[0].type == DATABASE_INTEGER && row->columns[0].integer == 0;
	return false;
}

void
catalog_probe(struct catalog *catalog, int index, struct deadline deadline,
    struct catalog_server_state *state)
{
	struct query query = {
		.statement = probe_statement, .each = take_read_only, .state = state, .arena = catalog->scratch
	};
	enum database_trouble trouble;
	struct failure why = { 0 };

	*state = (struct catalog_server_state){
		.is_left_alone = servers_is_left_alone(&catalog->servers, index),
		.is_lagging = servers_is_lagging(&catalog->servers, index)
	};
	state->answers = servers_ask(&catalog->servers, index, &query, NULL, deadline, &trouble, &why);
	arena_reset(catalog->scratch);
}

bool
catalog_take_complaint(struct catalog *catalog, struct failure *complaint)
{
	*complaint = catalog->heartbeat.complaint;
	failure_clear(&catalog->heartbeat.complaint);
	return complaint->kind != FAIL_NONE;
}
