#include "catalog/asset_search.h"

#include "catalog/asset_row.h"

#include <inttypes.h>

/* There is always one row, with NULLs for what is missing.  The extra columns stand
 * last: asset_row_read() takes the first ones. */
#define FIND(beaten, heartbeat) \
	"SELECT " ASSET_ROW_COLUMNS ", " beaten ", IF(@@global.read_only OR @@global.innodb_read_only, 1, 0) " \
	"FROM (SELECT 1 AS one) AS one LEFT JOIN asset ON id = ?" heartbeat
enum { EXTRA_COLUMNS = 2 };

static const char find_statement[] = FIND("beaten", " LEFT JOIN heartbeat ON heartbeat.number = 1");
static const char find_without_heartbeat[] = FIND("NULL", "");

/* The answers of one server or, newest row first, of several. */
struct answers {
	struct heartbeat *heartbeat;
	bool have_row, lack_row;
	bool are_read_only;
	int64_t beaten_us;	/* of the last one */
	struct asset asset;
	struct failure why;	/* of a row that is there but wrong */
};

static bool
take_answer(void *state, const struct database_row *row)
{
	struct answers *answers = state;
	const struct database_value *extra = &row->columns[row->column_count - EXTRA_COLUMNS];
	struct asset asset;

	answers->beaten_us = extra[0].type == DATABASE_INTEGER ? extra[0].integer : 0;
	answers->are_read_only = extra[1].integer == 1;
	if (row->columns[0].type == DATABASE_NULL) {
		answers->lack_row = true;
		return false;
	}
	if (asset_row_read(row, &asset, &answers->why) &&
	    (!answers->have_row || asset.version > answers->asset.version)) {
		answers->have_row = true;
		answers->asset = asset;
	}
	return false;
}

static bool
is_current(void *state)
{
	struct answers *answers = state;

	return !heartbeat_is_behind(answers->heartbeat, answers->beaten_us);
}

static bool
ask_primary(struct asset_search *search, const struct query *query, struct answers *answers,
    struct deadline deadline, struct failure *why)
{
	enum database_trouble trouble;

	if (!servers_ask_primary(search->servers, query, NULL, deadline, &trouble, why))
		return false;
	if (!answers->are_read_only || !servers_renew_primary(search->servers))
		return true;
	/* Perhaps its successor is behind the same name. */
	*answers = (struct answers){ .heartbeat = search->heartbeat };
	return servers_ask_primary(search->servers, query, NULL, deadline, &trouble, why);
}

/* Without a primary whose word is final. */
static enum sighting
settle_for_less(const struct answers *replica, const struct answers *primary, uint64_t at_least,
    struct asset *asset, struct failure *why)
{
	const struct answers *best = primary->have_row &&
	    (!replica->have_row || primary->asset.version > replica->asset.version) ? primary : replica;

	if (best->have_row && best->asset.version >= at_least) {
		*asset = best->asset;
		return SEEN_LATE;
	}
	if (at_least == 0 && (replica->lack_row || primary->lack_row))
		return MISSING_LATE;
	if (why->kind == FAIL_NONE)
		fail(why, FAIL_UNAVAILABLE, "the primary takes no writes, and no server has version %" PRIu64,
		    at_least);
	return NOBODY_ANSWERED;
}

/* Nobody else answered: even those that lag are asked. */
static void
ask_laggards(struct asset_search *search, struct query query, struct deadline deadline, struct failure *why)
{
	struct failure trouble = { 0 };

	query.is_current = NULL;
	if (!servers_ask_replica(search->servers, &query, deadline, &trouble) && why->kind == FAIL_NONE)
		*why = trouble;
}

enum sighting
asset_search(struct asset_search *search, struct span id, uint64_t at_least, struct deadline deadline,
    struct asset *asset, struct failure *why)
{
	struct answers *replica = arena_alloc(search->arena, sizeof(*replica));
	struct answers *primary = arena_alloc(search->arena, sizeof(*primary));
	struct database_value key = { .type = DATABASE_TEXT, .text = id };
	struct query query = {
		.statement = find_statement, .alternative = find_without_heartbeat, .parameters = &key,
		.parameter_count = 1, .each = take_answer, .state = replica, .is_current = is_current,
		.arena = search->arena
	};

	replica->heartbeat = primary->heartbeat = search->heartbeat;
	heartbeat_keep(search->heartbeat, deadline);
	if (servers_ask_replica(search->servers, &query, deadline, why) && replica->have_row &&
	    replica->asset.version >= at_least) {
		*asset = replica->asset;
		return SEEN_ON_REPLICA;
	}
	failure_clear(why);
	query.state = primary;
	if (ask_primary(search, &query, primary, deadline, why)) {
		if (primary->why.kind != FAIL_NONE) {
			*why = primary->why;
			return NOBODY_ANSWERED;
		}
		if (!primary->are_read_only) {
			*asset = primary->asset;
			return primary->have_row ? SEEN_ON_PRIMARY : MISSING;
		}
	}
	query.state = replica;
	if (!replica->have_row && !replica->lack_row)
		ask_laggards(search, query, deadline, why);
	return settle_for_less(replica, primary, at_least, asset, why);
}
