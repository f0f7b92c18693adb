/*
 * Drives lib/catalog for tests/integration/test_11_catalog.py: one command a
 * line on standard input, one answer a line on standard output.
 *
 *	probe_catalog NAME=VALUE...	(see options below; times in ms or s as in the configuration)
 *	    health=FILE			shares what is known of the servers with all who name that file
 *	    breakers=FILE		the same for the ring's servers
 *	    resolv=FILE			is this process's /etc/resolv.conf; ends with 77 where that is not allowed
 *
 *	find ID [SEEN_VERSION]	-> found TIER MS VERSION WIDTH CREDIT | KIND TIER MS DETAIL
 *	fresh ID | key ORIGIN KEY -> the same, TIER is "-"
 *	print ID		-> the row in its printed form, lines joined by "|"
 *	insert ID ORIGIN WIDTH KEY -> as fresh;  fill ID inserts a row with every field at its limit
 *	update ID WIDTH		-> as fresh
 *	set ID FIELDS CREDIT	-> as fresh; FIELDS is a sum of enum asset_field, the other values are those of fill
 *	purge ID		-> found - MS VERSION | KIND - MS DETAIL
 *	tell			-> N MS; how many rows catalog_tell_ring() leaves
 *	list ID			-> the ids after that one (use "-" for all)
 *	probe INDEX		-> answers|silent writable|read-only asked|alone current|lagging MS
 *	complaint		-> what catalog_take_complaint() says, or "none"
 *	migrate FOLDER		-> applied NAME... | KIND - MS DETAIL
 */
#include "base/deadline.h"
#include "catalog/catalog.h"
#include "catalog/migration.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

static const char *const tier_names[] = {
	[CATALOG_PEER] = "peer", [CATALOG_REPLICA] = "replica", [CATALOG_PRIMARY] = "primary",
	[CATALOG_LATE] = "late"
};

static struct catalog_config config = {
	.primary = { .name = "vitrine", .user = "vitrine", .password = "",
	    .connect_timeout_ms = 400, .query_timeout_ms = 400 },
	.retry_after_ms = 1000, .connection_age_s = 300, .soft_lifetime_s = 60, .hard_lifetime_s = 600,
	.negative_lifetime_s = 10, .max_lag_s = 10
};
static struct peers_config ring = { .servers = "", .connect_timeout_ms = 100, .timeout_ms = 150,
    .retry_after_s = 1 };
static unsigned deadline_ms = 5000;
static int64_t started_us;

static void
set_server(struct database_config *server, char *address)
{
	char *colon = strrchr(address, ':');

	*server = config.primary;
	server->host = address;
	if (colon != NULL) {
		*colon = '\0';
		server->port = (unsigned)strtoul(colon + 1, NULL, 10);
	}
}

static void *
map_shared(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *shared;

	if (fd == -1 || ftruncate(fd, (off_t)size) == -1)
		exit(2);
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		exit(2);
	close(fd);
	return shared;
}

static void
use_resolv_conf(const char *path)
{
	if (unshare(CLONE_NEWNS) == -1 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == -1)
		exit(77);
}

/* Options of all servers come before the servers. */
static void
set_option(char *option)
{
	char *value = strchr(option, '=');
	unsigned number;

	if (value == NULL)
		exit(2);
	*value++ = '\0';
	number = (unsigned)strtoul(value, NULL, 10);
	if (strcmp(option, "password") == 0)
		config.primary.password = value;
	else if (strcmp(option, "tls_ca") == 0)
		config.primary.tls_ca = value;
	else if (strcmp(option, "query_timeout") == 0)
		config.primary.query_timeout_ms = number;
	else if (strcmp(option, "replica") == 0)
		set_server(&config.replicas[config.replica_count++], value);
	else if (strcmp(option, "primary") == 0)
		set_server(&config.primary, value);
	else if (strcmp(option, "health") == 0)
		config.health = map_shared(value, sizeof(*config.health));
	else if (strcmp(option, "resolv") == 0)
		use_resolv_conf(value);
	else if (strcmp(option, "peers") == 0)
		ring.servers = value;
	else if (strcmp(option, "breakers") == 0)
		ring.breakers = map_shared(value, PEERS_MAX * sizeof(struct breaker));
	else if (strcmp(option, "secret") == 0)
		ring.secret = value;
	else if (strcmp(option, "namespace") == 0)
		ring.namespace = value;
	else if (strcmp(option, "age") == 0)
		config.connection_age_s = number;
	else if (strcmp(option, "max_lag") == 0)
		config.max_lag_s = number;
	else if (strcmp(option, "soft") == 0)
		config.soft_lifetime_s = number;
	else if (strcmp(option, "negative") == 0)
		config.negative_lifetime_s = number;
	else if (strcmp(option, "deadline") == 0)
		deadline_ms = number;
	else
		exit(2);
}

static double
elapsed_ms(void)
{
	return (double)(monotonic_us() - started_us) / 1000;
}

static void
reply(bool is_good, const struct asset *asset, const char *tier, const struct failure *why)
{
	if (is_good)
		printf("found %s %.3f %" PRIu64 " %u %s\n", tier, elapsed_ms(), asset->version, asset->width,
		    asset->credit);
	else
		printf("%s %s %.3f %s\n", failure_kind_name(why->kind), tier, elapsed_ms(), why->detail);
}

static struct asset
plain_asset(const char *id, const char *origin, const char *width, const char *key)
{
	struct asset asset = { .media = MEDIA_JPEG, .bytes = 1000, .height = 10, .frames = 1, .orientation = 1 };

	snprintf(asset.id, sizeof(asset.id), "%s", id);
	snprintf(asset.origin, sizeof(asset.origin), "%s", origin);
	snprintf(asset.key, sizeof(asset.key), "%s", key);
	asset.width = (unsigned)strtoul(width, NULL, 10);
	return asset;
}

/* Every field has a value of its own, strings as long as they may be. */
static struct asset
full_asset(const char *id)
{
	struct asset asset = plain_asset(id, "", "4000000000", "");

	memset(asset.origin, 'o', ASSET_ORIGIN_MAX);
	for (size_t i = 0; i < ASSET_KEY_MAX; i += 2)
		memcpy(asset.key + i, "\xc3\xa9", 2);
	memset(asset.etag, '"', ASSET_ETAG_MAX);
	memset(asset.watermark, 'w', ASSET_TEXT_MAX);
	for (size_t i = 0; i + 4 <= ASSET_TEXT_MAX; i += 4)
		memcpy(asset.credit + i, "\xf0\x9f\x93\xb7", 4);
	memset(asset.blurhash, 'b', ASSET_BLURHASH_MAX);
	memset(asset.thumbhash, '+', ASSET_THUMBHASH_MAX);
	memset(asset.placeholder, 'p', ASSET_PLACEHOLDER_MAX);
	memset(asset.owner, '\'', ASSET_TEXT_MAX);
	for (size_t i = 0; i <= 5; i++)
		snprintf(asset.colours + 7 * i, 8, "0123a%zu%s", i, i < 5 ? "," : "");
	asset.credit_is_imposed = true;
	asset.bytes = (uint64_t)1 << 40;
	asset.media = MEDIA_AVIF;
	asset.height = 30000;
	asset.frames = 77;
	asset.orientation = 8;
	asset.has_alpha = asset.is_progressive = asset.has_focus = true;
	asset.visibility = VISIBILITY_SIGNED;
	asset.focus_x = 0.25;
	asset.focus_y = 1;
	asset.expires = 5000000000;
	return asset;
}

static void
print_row(const struct asset *asset)
{
	struct arena *arena = arena_new();
	struct text text;

	text_init(&text, arena, 16384);
	asset_print(asset, &text);
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] == '\n')
			text.at[i] = '|';
	printf("%s\n", text.at);
	arena_free(arena);
}

static bool
print_id(void *state, const struct asset *asset)
{
	(void)state;
	printf("%s ", asset->id);
	return true;
}

static void
print_name(void *state, const char *name)
{
	(void)state;
	printf("%s ", name);
}

static void
obey_writer(struct catalog *catalog, char **words, struct deadline deadline)
{
	struct asset asset = { 0 };
	struct failure why = { 0 };
	bool is_good = false;

	if (strcmp(words[0], "insert") == 0) {
		asset = plain_asset(words[1], words[2], words[3], words[4]);
		is_good = catalog_insert(catalog, &asset, deadline, &why);
	} else if (strcmp(words[0], "fill") == 0) {
		asset = full_asset(words[1]);
		is_good = catalog_insert(catalog, &asset, deadline, &why);
	} else if (strcmp(words[0], "update") == 0) {
		asset = plain_asset(words[1], "ignored", words[2], "ignored");
		is_good = catalog_update(catalog, &asset, deadline, &why);
	} else if (strcmp(words[0], "set") == 0) {
		asset = full_asset(words[1]);
		snprintf(asset.credit, sizeof(asset.credit), "%s", words[3]);
		is_good = catalog_set(catalog, &asset, (unsigned)strtoul(words[2], NULL, 10), deadline, &why);
	} else if (strcmp(words[0], "purge") == 0) {
		is_good = catalog_purge(catalog, span_of(words[1]), deadline, &asset.version, &why);
	} else {
		exit(2);
	}
	reply(is_good, &asset, "-", &why);
}

static void
obey(struct catalog *catalog, char **words)
{
	struct deadline deadline = deadline_in_ms(deadline_ms);
	struct asset asset;
	struct failure why = { 0 };

	started_us = monotonic_us();
	if (strcmp(words[0], "find") == 0) {
		enum catalog_tier tier;
		bool is_found = catalog_find(catalog, span_of(words[1]), strtoull(words[2], NULL, 10), deadline,
		    &asset, &tier, &why);

		reply(is_found, &asset, tier_names[tier], &why);
	} else if (strcmp(words[0], "fresh") == 0) {
		reply(catalog_find_fresh(catalog, span_of(words[1]), deadline, &asset, &why), &asset, "-", &why);
	} else if (strcmp(words[0], "key") == 0) {
		reply(catalog_find_by_key(catalog, span_of(words[1]), span_of(words[2]), deadline, &asset, &why),
		    &asset, "-", &why);
	} else if (strcmp(words[0], "print") == 0) {
		if (catalog_find_fresh(catalog, span_of(words[1]), deadline, &asset, &why))
			print_row(&asset);
		else
			reply(false, &asset, "-", &why);
	} else if (strcmp(words[0], "list") == 0) {
		const char *after = strcmp(words[1], "-") == 0 ? "" : words[1];

		if (!catalog_list(catalog, span_of(after), deadline, print_id, NULL, &why))
			printf("%s - %.3f %s", failure_kind_name(why.kind), elapsed_ms(), why.detail);
		printf("\n");
	} else if (strcmp(words[0], "probe") == 0) {
		struct catalog_server_state state;

		catalog_probe(catalog, (int)strtol(words[1], NULL, 10), deadline, &state);
		printf("%s %s %s %s %.3f\n", state.answers ? "answers" : "silent",
		    state.takes_writes ? "writable" : "read-only", state.is_left_alone ? "alone" : "asked",
		    state.is_lagging ? "lagging" : "current", elapsed_ms());
	} else if (strcmp(words[0], "tell") == 0) {
		unsigned left = catalog_tell_ring(catalog, deadline);

		printf("%u %.3f\n", left, elapsed_ms());
	} else if (strcmp(words[0], "complaint") == 0) {
		printf("%s\n", catalog_take_complaint(catalog, &why) ? why.detail : "none");
	} else if (strcmp(words[0], "migrate") == 0) {
		printf("applied ");
		if (!migration_run(&config.primary, words[1], deadline, print_name, NULL, &why))
			printf("%s - %.3f %s", failure_kind_name(why.kind), elapsed_ms(), why.detail);
		printf("\n");
	} else {
		obey_writer(catalog, words, deadline);
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct failure why = { 0 };
	struct peers *peers;
	struct catalog *catalog;
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	sigset_t all;

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 1; i < argc; i++)
		set_option(argv[i]);
	peers = peers_open(&ring, &why);
	if (peers == NULL)
		return 1;
	catalog = catalog_open(&config, peers);
	while ((length = getline(&line, &capacity, stdin)) > 0) {
		char *words[6] = { "", "", "", "", "", "" }, *rest = line;

		line[length - 1] = '\0';
		for (int i = 0; i < 5 && rest != NULL; i++)
			words[i] = i < 4 ? strsep(&rest, " ") : rest;
		obey(catalog, words);
	}
	catalog_close(catalog);
	peers_close(peers);
	free(line);
	return 0;
}
