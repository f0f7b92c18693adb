#include "fcgi-app/find_asset.h"

enum {
	REFRESH_MS = 250,
	ASK_MS = 3000,		/* whatever the time-outs of so many servers add up to */
	REFRESH_PAUSE_MS = 1000,	/* after one that failed, one request per server tries again */
	MISSING_MS = 1000,	/* at most: it may be uploaded at any time */
	TOLD_MS = 250,		/* for what another request asks about an asset that nobody knows here */
	FIRST_LOOK_MS = 1, LAST_LOOK_MS = 16
};

/* What was last said of an asset, if anything, as this server's disk has it. */
struct last_known {
	bool is_there;
	struct key key;
	struct span text;
	struct asset asset;
	int64_t age_ms;
};

static struct key
key_of_row(struct arena *arena, struct span id)
{
	return key_of(span_of(arena_printf(arena, "row %.*s", SPAN_ARGS(id))));
}

static struct last_known *
recall(struct server *server, struct arena *arena, struct span id)
{
	struct last_known *known = arena_alloc(arena, sizeof(*known));

	known->key = key_of_row(arena, id);
	known->is_there = store_read_note(server->store, &known->key, arena, &known->text, &known->age_ms) &&
	    asset_parse(known->text, &known->asset) && span_equals(id, known->asset.id);
	return known;
}

/* In memory, and to be believed.  When a row has become old one request asks anew, and the
 * others do not wait for it. */
static enum knowledge
remembered(struct server *server, struct span id, struct asset *asset)
{
	int64_t lifetime_ms = server->settings->server.row_lifetime_ms, age_us = 0;
	int64_t grace_ms = lifetime_ms < REFRESH_MS ? lifetime_ms : REFRESH_MS;
	enum knowledge knowledge = known_rows_find(server->rows, id, asset, &age_us);

	if (knowledge == MISSING_KNOWN && lifetime_ms > MISSING_MS)
		lifetime_ms = MISSING_MS;
	if (knowledge == NOTHING_KNOWN || age_us < lifetime_ms * 1000)
		return knowledge;
	if (knowledge == ROW_KNOWN && age_us < (lifetime_ms + grace_ms) * 1000 &&
	    !known_rows_claim(server->rows, id, REFRESH_MS))
		return ROW_KNOWN;
	return NOTHING_KNOWN;
}

/* Mostly it is what was known already; then only its age changes. */
static void
remember(struct server *server, struct arena *arena, const struct last_known *known, const struct asset *asset,
    int64_t asked_us)
{
	struct text text;

	known_rows_put(server->rows, asset, asked_us);
	text_init(&text, arena, ASSET_PRINTED_MAX);
	asset_print(asset, &text);
	if (known->is_there && span_equals(known->text, text.at))
		store_confirm_note(server->store, &known->key);
	else
		store_write_note(server->store, &known->key, text_span(&text));
}

static bool
is_fresh(const struct server *server, const struct last_known *known)
{
	return known->is_there && known->age_ms < (int64_t)server->settings->server.row_lifetime_ms;
}

static bool
answer(struct server *server, struct request *request, enum row_tier tier)
{
	metrics_count(&server->shared->metrics.rows[tier], 1);
	if (request->row_tier == NULL)
		request->row_tier = row_tier_name(tier);
	return true;
}

/* From the catalog; what it says is remembered. */
static bool
ask(struct server *server, struct request *request, struct span id, struct deadline deadline,
    const struct last_known *known, struct asset *asset, struct failure *why)
{
	uint64_t seen = known->is_there ? known->asset.version : 0;
	int64_t asked_us = monotonic_us();
	enum catalog_tier tier;

	if (catalog_find(server->catalog, id, seen, deadline, asset, &tier, why)) {
		if (tier != CATALOG_LATE)
			remember(server, request->arena, known, asset, asked_us);
		return answer(server, request, ROW_FROM_CATALOG + tier);
	}
	if (why->kind == FAIL_NOT_FOUND && tier != CATALOG_LATE) {
		known_rows_put_missing(server->rows, id, asked_us);
		if (known->is_there)
			store_remove(server->store, STORE_NOTES, &known->key);
	}
	return false;
}

/* A row that is wrong is its own trouble, and not asked for again for a moment; that
 * nobody answers is everybody's. */
static void
note_trouble(struct server *server, const struct last_known *known, const struct failure *trouble)
{
	if (trouble->kind == FAIL_UNAVAILABLE || trouble->kind == FAIL_TIMEOUT) {
		breaker_open(&server->shared->refresh, REFRESH_PAUSE_MS);
		return;
	}
	breaker_close(&server->shared->refresh);
	store_confirm_note(server->store, &known->key);
}

/* Whatever happens to the catalog, there is an answer. */
static bool
refresh(struct server *server, struct request *request, struct span id, const struct last_known *known,
    struct asset *asset, struct failure *why)
{
	struct breaker *breaker = &server->shared->refresh;
	struct deadline deadline = deadline_within_ms(request->deadline, REFRESH_MS);
	struct failure trouble = { 0 };

	if (breaker_allows(breaker, REFRESH_PAUSE_MS)) {
		if (ask(server, request, id, deadline, known, asset, &trouble)) {
			breaker_close(breaker);
			return true;
		}
		if (trouble.kind == FAIL_NOT_FOUND) {
			breaker_close(breaker);
			*why = trouble;
			return false;
		}
		note_trouble(server, known, &trouble);
	}
	*asset = known->asset;
	return answer(server, request, ROW_STALE);
}

static bool
not_found(struct span id, struct failure *why)
{
	return fail(why, FAIL_NOT_FOUND, "no asset %.*s", SPAN_ARGS(id));
}

/* What another request is told meanwhile. */
static enum knowledge
overhear(struct server *server, struct request *request, struct span id, struct asset *asset)
{
	struct deadline deadline = deadline_within_ms(request->deadline, TOLD_MS);
	enum knowledge knowledge = remembered(server, id, asset);

	for (int64_t pause_ms = FIRST_LOOK_MS; knowledge == NOTHING_KNOWN && !deadline_has_passed(deadline) &&
	    known_rows_is_claimed(server->rows, id); pause_ms *= pause_ms < LAST_LOOK_MS ? 2 : 1) {
		deadline_sleep_ms(deadline, pause_ms);
		knowledge = remembered(server, id, asset);
	}
	return knowledge;
}

/* One asks for all who ask at the same time. */
static bool
ask_or_overhear(struct server *server, struct request *request, struct span id, const struct last_known *known,
    struct asset *asset, struct failure *why)
{
	struct deadline deadline = deadline_within_ms(request->deadline, ASK_MS);
	bool asks_for_all = known_rows_claim(server->rows, id, TOLD_MS), was_found;

	if (!asks_for_all) {
		switch (overhear(server, request, id, asset)) {
		case ROW_KNOWN:
			return answer(server, request, ROW_LOCAL);
		case MISSING_KNOWN:
			return not_found(id, why);
		case NOTHING_KNOWN:
			break;
		}
	}
	was_found = ask(server, request, id, deadline, known, asset, why);
	if (asks_for_all)
		known_rows_release(server->rows, id);
	return was_found;
}

/* Not on our disk, so what will be served is not either: that is the slow path. */
static bool
ask_for_the_unknown(struct server *server, struct request *request, struct span id, const struct last_known *known,
    struct asset *asset, struct failure *why)
{
	unsigned places = server->settings->server.slow_responders;
	struct store_lock place;
	bool was_found;

	if (!store_take_place(server->store, LANE_SLOW, places, &place))
		return fail(why, FAIL_BUSY, "all %u places of the slow path are taken", places);
	was_found = ask_or_overhear(server, request, id, known, asset, why);
	store_unlock(&place);
	return was_found;
}

static bool
find_elsewhere(struct server *server, struct request *request, struct span id, struct asset *asset,
    struct failure *why)
{
	struct last_known *known;

	duty_hand_over(server->duty);
	known = recall(server, request->arena, id);
	if (is_fresh(server, known)) {
		*asset = known->asset;
		known_rows_put(server->rows, asset, monotonic_us() - known->age_ms * 1000);
		return answer(server, request, ROW_LOCAL);
	}
	if (known->is_there)
		return refresh(server, request, id, known, asset, why);
	return ask_for_the_unknown(server, request, id, known, asset, why);
}

static bool
find(struct server *server, struct request *request, struct span id, struct asset *asset, struct failure *why)
{
	switch (remembered(server, id, asset)) {
	case ROW_KNOWN:
		return answer(server, request, ROW_LOCAL);
	case MISSING_KNOWN:
		return not_found(id, why);
	default:
		return find_elsewhere(server, request, id, asset, why);
	}
}

bool
find_asset(struct server *server, struct request *request, struct span id, struct asset *asset, struct failure *why)
{
	int64_t from_us = monotonic_us();
	bool was_found = find(server, request, id, asset, why);

	request_note_step(request, STEP_CATALOG, &from_us);
	return was_found;
}
