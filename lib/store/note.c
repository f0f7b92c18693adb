/*
 * A note is a file like the others, with a checksum and atomic writing, so
 * a damaged one is absent.  Its age is that of its mtime, which nobody moves by reading.
 */
#include "base/check.h"
#include "base/file.h"
#include "store/inside.h"

#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static int64_t
age_ms_of(const struct stat *status)
{
	struct timespec now;
	int64_t age_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (int64_t)(now.tv_sec - status->st_mtim.tv_sec) * 1000 +
	    (now.tv_nsec - status->st_mtim.tv_nsec) / 1000000;
	return age_ms >= 0 ? age_ms : INT64_MAX;
}

static bool
read_text(int fd, uint64_t bytes, struct arena *arena, struct span *text)
{
	char *at;

	if (bytes > STORE_NOTE_MAX)
		return false;
	at = arena_alloc(arena, bytes + 1);
	*text = span_range(at, bytes);
	return pread(fd, at, bytes, 0) == (ssize_t)bytes;
}

bool
store_read_note(struct store *store, const struct key *key, struct arena *arena, struct span *text, int64_t *age_ms)
{
	struct store_file file;
	struct stat status;
	bool was_read;

	if (!store_open_sound(store, STORE_NOTES, key, &file, &status))
		return false;
	was_read = read_text(file.fd, file.bytes, arena, text);
	close(file.fd);
	*age_ms = age_ms_of(&status);
	return was_read;
}

void
store_write_note(struct store *store, const struct key *key, struct span text)
{
	struct failure why = { 0 };
	struct store_draft draft;
	struct store_file file;

	CHECK(text.length <= STORE_NOTE_MAX);
	if (!store_begin(store, &draft, &why))
		return;
	if (!file_write_all(draft.fd, text.at, text.length))
		store_discard(store, &draft);
	else if (store_commit(store, &draft, STORE_NOTES, key, MEDIA_NONE, &file, &why))
		close(file.fd);
}

void
store_confirm_note(struct store *store, const struct key *key)
{
	char path[STORE_PATH_MAX];

	store_file_path(STORE_NOTES, key, path);
	/* One that is gone meanwhile is written anew when it is missed. */
	(void)utimensat(store->root_fd, path, NULL, AT_SYMLINK_NOFOLLOW);
}
