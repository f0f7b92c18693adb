#include "store/store.h"

#include "base/check.h"
#include "base/file.h"
#include "store/inside.h"
#include "store/lock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(sizeof(((struct store_file *)0)->path) == STORE_PATH_MAX, "store.h and inside.h agree");
static_assert(sizeof(((struct store_draft *)0)->path) == STORE_PATH_MAX, "store.h and inside.h agree");
static_assert(STORE_PART_COUNT == 3, "part_names and store_open() know three parts");

/* Like a picture: on a disk that is as good as full, a few bytes still find their place. */
enum { PROBE_BYTES = 64 * 1024 };

static const char *const part_names[STORE_PART_COUNT] = {
	[STORE_ORIGINALS] = "originals",
	[STORE_VARIANTS] = "variants",
	[STORE_NOTES] = "notes",
};

const char *
store_part_name(enum store_part part)
{
	return part_names[part];
}

uint64_t
store_key_bits(const struct key *key, unsigned digits)
{
	uint64_t bits = 0;

	CHECK(digits <= 16 && strnlen(key->hex, sizeof(key->hex)) == KEY_HEX);
	for (unsigned i = 0; i < digits; i++) {
		char digit = key->hex[i];

		CHECK((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'));
		bits = bits << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
	}
	return bits;
}

bool
store_checksum(int fd, const struct key *key, uint64_t *checksum)
{
	return checksum_of_file(fd, store_key_bits(key, 16), checksum);
}

unsigned
store_bucket_of(const struct key *key)
{
	return (unsigned)store_key_bits(key, 4);
}

void
store_bucket_path(enum store_part part, unsigned bucket, char path[STORE_PATH_MAX])
{
	snprintf(path, STORE_PATH_MAX, "%s/%02x/%02x", part_names[part], bucket >> 8 & 255, bucket & 255);
}

void
store_file_path(enum store_part part, const struct key *key, char path[STORE_PATH_MAX])
{
	/* A name that is not from key_of() could lead out of the store. */
	CHECK(strspn(key->hex, "0123456789abcdef") == KEY_HEX);
	snprintf(path, STORE_PATH_MAX, "%s/%.2s/%.2s/%s", part_names[part], key->hex, key->hex + 2, key->hex);
}

static bool
folder_is_made(struct store *store, const char *path)
{
	return mkdirat(store->root_fd, path, STORE_FOLDER_MODE) != -1 || errno == EEXIST;
}

bool
store_make_bucket(struct store *store, enum store_part part, unsigned bucket)
{
	char parent[STORE_PATH_MAX], path[STORE_PATH_MAX];

	snprintf(parent, sizeof(parent), "%s/%02x", part_names[part], bucket >> 8 & 255);
	store_bucket_path(part, bucket, path);
	return folder_is_made(store, part_names[part]) && folder_is_made(store, parent) &&
	    folder_is_made(store, path);
}

/* splitmix64 (Steele, Lea, Flood 2014): one state word, no bad seeds. */
uint64_t
store_random(struct store *store)
{
	uint64_t bits;

	if (store->random_owner != getpid()) {
		CHECK(getrandom(&store->random_state, sizeof(store->random_state), 0) ==
		    sizeof(store->random_state));
		store->random_owner = getpid();
	}
	bits = store->random_state += 0x9e3779b97f4a7c15u;
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
	return bits ^ bits >> 31;
}

static bool
make_folder(struct store *store, const char *name, struct failure *why)
{
	if (!folder_is_made(store, name))
		return fail(why, FAIL_INTERNAL, "cannot make %s/%s: %s", store->root, name, strerror(errno));
	return true;
}

static int
open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void
store_renew_root(struct store *store)
{
	struct stat status;
	int fd;

	if (fstat(store->root_fd, &status) == -1 || status.st_nlink > 0)
		return;
	(void)mkdir(store->root, STORE_FOLDER_MODE);
	fd = open_folder(store->root);
	if (fd == -1)
		return;
	close(store->root_fd);
	store->root_fd = fd;
}

static bool
open_root(struct store *store, struct failure *why)
{
	if (store->root[0] != '/')
		return fail(why, FAIL_INTERNAL, "the store's root \"%s\" is not an absolute path", store->root);
	if (mkdir(store->root, STORE_FOLDER_MODE) == -1 && errno != EEXIST)
		return fail(why, FAIL_INTERNAL, "cannot make the store's root %s: %s", store->root,
		    strerror(errno));
	store->root_fd = open_folder(store->root);
	if (store->root_fd == -1)
		return fail(why, FAIL_INTERNAL, "cannot open the store's root %s: %s", store->root,
		    strerror(errno));
	for (enum store_part part = 0; part < STORE_PART_COUNT; part++)
		if (!make_folder(store, part_names[part], why))
			return false;
	return make_folder(store, "tmp", why);
}

struct store *
store_open_untried(const struct store_config *config, struct failure *why)
{
	struct store *store = calloc(1, sizeof(*store));

	CHECK(store != NULL);
	store->root_fd = -1;
	store->usage.fd = -1;
	store->root = strdup(config->root);
	CHECK(store->root != NULL);
	store->max_bytes[STORE_ORIGINALS] = config->max_original_bytes;
	store->max_bytes[STORE_VARIANTS] = config->max_variant_bytes;
	store->max_bytes[STORE_NOTES] = config->max_note_bytes;
	store->own_verified = store->verified = calloc(1, sizeof(*store->verified));
	store->own_bells = store->bells = calloc(1, sizeof(*store->bells));
	CHECK(store->verified != NULL && store->bells != NULL);
	if (!open_root(store, why)) {
		store_close(store);
		return NULL;
	}
	store_sweep_drafts(store);
	usage_open(&store->usage, store->root_fd);
	return store;
}

struct store *
store_open(const struct store_config *config, struct failure *why)
{
	struct store *store = store_open_untried(config, why);

	if (store == NULL || store_probe(store, why))
		return store;
	store_close(store);
	return NULL;
}

void
store_share_verified(struct store *store, struct store_verified *verified)
{
	free(store->own_verified);
	store->own_verified = NULL;
	store->verified = verified;
}

void
store_share_bells(struct store *store, struct store_bells *bells)
{
	free(store->own_bells);
	store->own_bells = NULL;
	store->bells = bells;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->usage.page != NULL)
		usage_close(&store->usage);
	if (store->root_fd != -1)
		close(store->root_fd);
	free(store->own_verified);
	free(store->own_bells);
	free(store->root);
	free(store);
}

void
store_usage(struct store *store, enum store_part part, uint64_t *bytes, uint64_t *limit)
{
	usage_refresh(&store->usage, store->root_fd);
	*bytes = usage_bytes(&store->usage, part);
	*limit = store->max_bytes[part];
}

static bool
try_draft(struct store *store, const struct store_draft *draft, struct failure *why)
{
	static const char written[PROBE_BYTES] = "vitrine";
	struct record record = { .bytes = sizeof(written), .media = MEDIA_NONE };
	char found[sizeof(written)];

	if (!file_write_all(draft->fd, written, sizeof(written)))
		return fail(why, FAIL_INTERNAL, "cannot write in %s: %s", store->root, strerror(errno));
	if (pread(draft->fd, found, sizeof(found), 0) != sizeof(found) ||
	    memcmp(found, written, sizeof(written)) != 0)
		return fail(why, FAIL_INTERNAL, "%s does not give back what was written", store->root);
	if (!record_put(draft->fd, &record) || !record_get(draft->fd, &record))
		return fail(why, FAIL_INTERNAL, "the file system of %s keeps no user.* attributes "
		    "(tmpfs does since Linux 6.6): %s", store->root, strerror(errno));
	return true;
}

/* That somebody else probes too shows it as well. */
static bool
try_lock(struct store *store, struct failure *why)
{
	struct store_lock lock;

	if (lock_wait(store->root_fd, LOCK_PROBE, deadline_in_ms(0), &lock, why)) {
		store_unlock(&lock);
		return true;
	}
	if (why->kind != FAIL_TIMEOUT)
		return false;
	failure_clear(why);
	return true;
}

bool
store_probe(struct store *store, struct failure *why)
{
	struct store_draft draft;
	bool works;

	if (!store_begin(store, &draft, why))
		return false;
	works = try_draft(store, &draft, why) && try_lock(store, why);
	store_discard(store, &draft);
	return works;
}
