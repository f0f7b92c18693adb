#include "fcgi-app/neighbours.h"

#include "base/file.h"
#include "fcgi-app/draft.h"
#include "peers/lease.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	SHARED_S = 3600,	/* one that is wanted again will be in the stores by then */
	PAUSE_MS = 20
};

/* ---- the variant in the ring: its media type's extension, a line feed, its bytes ---------- */

static struct key
entry_of(struct arena *arena, const struct variant *variant)
{
	return key_of(span_of(arena_printf(arena, "variant %s", variant->key.hex)));
}

static bool
write_bytes(const struct store_draft *draft, struct span bytes, struct failure *why)
{
	return file_write_all(draft->fd, bytes.at, bytes.length) ||
	    fail(why, FAIL_INTERNAL, "cannot write a draft: %s", strerror(errno));
}

static bool
keep(struct server *server, struct request *request, const struct variant *variant, struct span bytes,
    struct store_file *file)
{
	struct failure why = { 0 };
	struct store_draft draft;
	bool was_written;

	if (!draft_begin(server, request, &draft, &why))
		return false;
	do
		was_written = write_bytes(&draft, bytes, &why);
	while (!was_written && draft_begin_again(server, request, &draft, &why));
	if (was_written)
		return store_commit(server->store, &draft, STORE_VARIANTS, &variant->key, variant->format, file, &why);
	store_discard(server->store, &draft);
	return false;
}

static bool
take_shared(struct server *server, struct request *request, const struct variant *variant, struct store_file *file)
{
	struct key entry = entry_of(request->arena, variant);
	struct span value, extension;

	if (peers_get(server->peers, &entry, request->arena, &value) != PEER_HIT)
		return false;
	extension = span_cut(&value, '\n');
	return span_equals(extension, media_extension(variant->format)) &&
	    media_sniff(value.at, value.length) == variant->format &&
	    keep(server, request, variant, value, file);
}

static bool
share(struct server *server, struct request *request, const struct variant *variant, const struct store_file *file)
{
	struct key entry = entry_of(request->arena, variant);
	struct text value;
	char *bytes;

	if (file->bytes > server->settings->server.share_bytes)
		return false;
	bytes = arena_alloc(request->arena, file->bytes);
	if (pread(file->fd, bytes, file->bytes, 0) != (ssize_t)file->bytes)
		return false;
	text_init(&value, request->arena, file->bytes + 16);
	text_printf(&value, "%s\n", media_extension(variant->format));
	text_add_bytes(&value, bytes, file->bytes);
	return peers_put(server->peers, &entry, text_span(&value), SHARED_S) == PEER_HIT;
}

/* ---- agreeing ------------------------------------------------------------------------------ */

bool
neighbours_obtain(struct server *server, struct request *request, const struct variant *variant,
    struct store_file *file, bool *has_lease)
{
	struct deadline deadline = deadline_within_ms(request->deadline, deadline_left_ms(request->deadline) / 4);
	int64_t from_us = monotonic_us();
	enum lease_answer answer;
	bool was_shared;

	*has_lease = false;
	if (server->settings->server.share_bytes == 0)
		return false;
	for (;;) {
		/* First the lease, then the look: the other way round, what was
		 * finished in between would be made once more. */
		answer = lease_take(server->peers, &variant->key);
		was_shared = take_shared(server, request, variant, file);
		if (was_shared || answer != LEASE_THEIRS || deadline_has_passed(deadline))
			break;
		deadline_sleep_ms(deadline, PAUSE_MS);
	}
	request_note_step(request, STEP_WAIT, &from_us);
	*has_lease = answer == LEASE_OURS && !was_shared;
	if (!was_shared)
		return false;
	if (answer == LEASE_OURS)
		lease_end(server->peers, &variant->key);
	request->tier = TIER_NEIGHBOUR;
	return true;
}

void
neighbours_hold(struct server *server, const struct variant *variant)
{
	lease_renew(server->peers, &variant->key);
}

void
neighbours_tell(struct server *server, struct request *request, const struct variant *variant,
    const struct store_file *file, bool has_lease)
{
	bool was_shared = file != NULL && share(server, request, variant, file);

	if (!has_lease)
		return;
	if (file != NULL && !was_shared)
		lease_end_alone(server->peers, &variant->key);
	else
		lease_end(server->peers, &variant->key);
}
