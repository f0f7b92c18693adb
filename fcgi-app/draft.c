#include "fcgi-app/draft.h"

enum {
	/* Each holds an original, perhaps a watermark's, and the result. */
	PLACES_IN_MEMORY = 4,
	PAUSE_MS = 20,
	PATIENCE_MS = 1000	/* those who have a place may wait for a flight that we hold */
};

static void
give_place_back(void *object)
{
	store_unlock(object);
}

/* A request needs one, however many drafts it has. */
static bool
take_place(struct server *server, struct request *request, struct failure *why)
{
	struct store_lock *place = arena_alloc(request->arena, sizeof(*place));
	struct deadline deadline = deadline_within_ms(request->deadline, PATIENCE_MS);

	if (request->is_in_memory)
		return true;
	while (!store_take_place(server->store, LANE_MEMORY, PLACES_IN_MEMORY, place)) {
		if (deadline_has_passed(deadline))
			return fail(why, FAIL_BUSY, "the disk takes nothing, and others hold the memory for answers");
		deadline_sleep_ms(deadline, PAUSE_MS);
	}
	arena_defer(request->arena, give_place_back, place);
	request->is_in_memory = true;
	return true;
}

static bool
begin_in_memory(struct server *server, struct request *request, struct store_draft *draft, struct failure *why)
{
	return take_place(server, request, why) && store_begin_in_memory(draft, why);
}

bool
draft_begin(struct server *server, struct request *request, struct store_draft *draft, struct failure *why)
{
	struct failure trouble = { 0 };

	return store_begin(server->store, draft, &trouble) || begin_in_memory(server, request, draft, why);
}

bool
draft_begin_again(struct server *server, struct request *request, struct store_draft *draft, struct failure *why)
{
	/* Mostly that is the disk, and otherwise trying once more does no harm. */
	if (why->kind != FAIL_INTERNAL || store_draft_is_in_memory(draft))
		return false;
	store_discard(server->store, draft);
	failure_clear(why);
	return begin_in_memory(server, request, draft, why);
}
