/*
 * fuzz_peer_list - the ring's servers.  A list that is read, written anew from its
 * values, is the same list.
 */
#include "base/check.h"
#include "peers/peer_list.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
print(const struct peer_list *list, struct text *out)
{
	for (unsigned i = 0; i < list->count; i++) {
		const struct peer_address *peer = &list->peers[i];
		bool is_bracketed = strchr(peer->host, ':') != NULL;

		text_printf(out, "%s%s%s%s:%u", i > 0 ? ", " : "", is_bracketed ? "[" : "", peer->host,
		    is_bracketed ? "]" : "", (unsigned)peer->port);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct peer_list list, again;
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct text printed;

	if (peer_list_parse(span_range((const char *)bytes, size), &list, &why)) {
		CHECK(list.count <= PEERS_MAX);
		text_init(&printed, arena, (PEER_HOST_MAX + 16) * PEERS_MAX);
		print(&list, &printed);
		CHECK(peer_list_parse(text_span(&printed), &again, &why) && again.count == list.count);
		for (unsigned i = 0; i < list.count; i++)
			CHECK(strcmp(list.peers[i].host, again.peers[i].host) == 0 &&
			    list.peers[i].port == again.peers[i].port);
	} else {
		CHECK(why.kind == FAIL_INTERNAL);
	}
	arena_free(arena);
	return 0;
}
