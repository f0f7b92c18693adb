#include "fcgi-app/verdict.h"

#include <stdio.h>

enum {
	LOST_S = 5,	/* an object that the origin does not have may have been on its way */
	CRASHED_S = 2,	/* a renderer may have died of something else; what kills more is quarantined */
	TICK_MS = 10	/* a file's time moves in ticks */
};

static struct key
key_of_note(struct request *request, const struct key *key)
{
	return key_of(span_of(arena_printf(request->arena, "verdict %s", key->hex)));
}

/* "unprocessable the renderer died of this image" */
static bool
read_verdict(struct server *server, struct request *request, const struct key *key, struct failure *failure,
    int64_t *age_ms)
{
	struct key note = key_of_note(request, key);
	struct span text, kind;

	*failure = (struct failure){ 0 };
	if (!store_read_note(server->store, &note, request->arena, &text, age_ms))
		return false;
	kind = span_cut(&text, ' ');
	if (text.at == NULL)
		return false;
	failure->kind = failure_kind_find(arena_copy_bytes(request->arena, kind.at, kind.length));
	snprintf(failure->detail, sizeof(failure->detail), "%.*s", SPAN_ARGS(text));
	return failure->kind != FAIL_NONE;
}

/* How long it holds for others than those who waited. */
static int64_t
lifetime_ms(const struct server *server, enum failure_kind kind)
{
	switch (kind) {
	case FAIL_UNSUPPORTED:
	case FAIL_UNPROCESSABLE:
		return (int64_t)server->settings->http.error_max_age_s * 1000;
	case FAIL_NOT_FOUND:
		return LOST_S * 1000;
	case FAIL_CRASHED:
		return CRASHED_S * 1000;
	default:
		return 0;
	}
}

/* Notes of nothing would crowd out those that are needed. */
static void
forget_verdict(struct server *server, struct request *request, const struct key *key)
{
	struct key note = key_of_note(request, key);

	store_remove(server->store, STORE_NOTES, &note);
}

bool
verdict_is_open(struct server *server, struct request *request, const struct key *key, struct failure *why)
{
	struct failure failure;
	int64_t age_ms;

	if (!read_verdict(server, request, key, &failure, &age_ms))
		return true;
	if (age_ms >= lifetime_ms(server, failure.kind)) {
		forget_verdict(server, request, key);
		return true;
	}
	*why = failure;
	return false;
}

bool
verdict_is_open_since(struct server *server, struct request *request, const struct key *key, int64_t from_us,
    struct failure *why)
{
	struct failure failure;
	int64_t age_ms;

	if (!read_verdict(server, request, key, &failure, &age_ms) ||
	    age_ms > (monotonic_us() - from_us) / 1000 + TICK_MS)
		return true;
	*why = failure;
	return false;
}

/* Without a lifetime it is for those who wait, if there are any. */
void
verdict_remember(struct server *server, struct request *request, enum store_part part, const struct key *key,
    const struct failure *failure)
{
	struct key note = key_of_note(request, key);

	if (lifetime_ms(server, failure->kind) > 0 || store_is_awaited(server->store, part, key))
		store_write_note(server->store, &note, span_of(arena_printf(request->arena, "%s %s",
		    failure_kind_name(failure->kind), failure->detail)));
}
