#include "catalog/heartbeat.h"

/* Microseconds of the server's clock; sessions are in UTC. */
#define NOW_US "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)"

/* Less than HEARTBEAT_EVERY_MS, or two machines taking turns would beat every other second. */
#define IS_DUE "beaten + 900000 < " NOW_US

static const char look_statement[] = "SELECT beaten, " IS_DUE " FROM heartbeat WHERE number = 1";
/* The condition once more: of several machines that found it due one moves it. */
static const char beat_statement[] =
    "UPDATE heartbeat SET beaten = GREATEST(beaten + 1, " NOW_US ") WHERE number = 1 AND " IS_DUE;

struct beat {
	int64_t beaten_us;
	bool is_due;
};

static bool
take_beat(void *state, const struct database_row *row)
{
	struct beat *beat = state;

	*beat = (struct beat){ row->columns[0].integer, row->columns[1].integer == 1 };
	return false;
}

/* Once on each machine, until it works again. */
static void
complain(struct heartbeat *heartbeat, const struct failure *why)
{
	if (!atomic_exchange(&heartbeat->health->has_complained, true))
		fail(&heartbeat->complaint, why->kind, "replicas that lag are not noticed: %.200s", why->detail);
}

static void
move_clock(struct heartbeat *heartbeat, struct deadline deadline)
{
	struct query query = { .statement = beat_statement, .arena = heartbeat->arena };
	enum database_trouble trouble;
	struct failure why = { 0 };

	if (servers_ask_primary(heartbeat->servers, &query, NULL, deadline, &trouble, &why))
		atomic_store(&heartbeat->health->has_complained, false);
	else if (trouble == DATABASE_REFUSED)
		complain(heartbeat, &why);
}

void
heartbeat_keep(struct heartbeat *heartbeat, struct deadline deadline)
{
	struct catalog_health *health = heartbeat->health;
	struct beat beat = { 0 };
	struct query query = {
		.statement = look_statement, .each = take_beat, .state = &beat, .arena = heartbeat->arena
	};
	enum database_trouble trouble;
	struct failure why = { 0 };

	if (heartbeat->max_lag_s == 0 || heartbeat->servers->replica_count == 0 ||
	    !breaker_allows(&health->beat, HEARTBEAT_EVERY_MS))
		return;
	breaker_open(&health->beat, HEARTBEAT_EVERY_MS);
	deadline = deadline_within_ms(deadline, deadline_left_ms(deadline) / 2);
	if (!servers_ask_primary(heartbeat->servers, &query, NULL, deadline, &trouble, &why))
		return;
	/* What the primary says holds, also when it was restored from a backup and is older. */
	atomic_store(&health->newest_beat_us, beat.beaten_us);
	if (beat.is_due)
		move_clock(heartbeat, deadline);
}

bool
heartbeat_is_behind(struct heartbeat *heartbeat, int64_t beaten_us)
{
	_Atomic int64_t *newest_us = &heartbeat->health->newest_beat_us;
	int64_t known_us = atomic_load(newest_us);

	if (heartbeat->max_lag_s == 0 || beaten_us == 0)
		return false;
	while (beaten_us > known_us && !atomic_compare_exchange_weak(newest_us, &known_us, beaten_us))
		;
	return beaten_us < known_us - (int64_t)heartbeat->max_lag_s * 1000000;
}
