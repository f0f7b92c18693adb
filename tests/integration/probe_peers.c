/*
 * Drives lib/peers for tests/integration/test_12_peers.py: one command a line on
 * standard input, one answer a line on standard output, with the milliseconds it took.
 *
 *	probe_peers SERVERS CONNECT_TIMEOUT_MS TIMEOUT_MS RETRY_AFTER_S [FILE [SECRET]]
 *	    the breakers lie in that file, shared with all who name it; "": in none
 *
 *	get NAME | put NAME LIFETIME VALUE | add NAME LIFETIME VALUE | delete NAME
 *	    -> hit|miss|down MS [VALUE]
 *	fill NAME LIFETIME BYTES   puts a value of that many "x"
 *	key NAME                   -> the key as the servers see it
 *	failed NAME                -> SECONDS ago that its peer failed, or never
 *	count                      -> ALIVE/CONFIGURED MS
 */
#include "base/deadline.h"
#include "peers/peers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *const answer_names[] = {
	[PEER_HIT] = "hit", [PEER_MISS] = "miss", [PEER_DOWN] = "down"
};

static void
reply(enum peer_answer answer, int64_t started_us, struct span value)
{
	printf("%s %.3f %.*s\n", answer_names[answer], (double)(monotonic_us() - started_us) / 1000,
	    SPAN_ARGS(value));
}

static unsigned
lifetime_of(struct span *rest)
{
	uint64_t lifetime_s = 0;

	if (!span_to_u64(span_cut(rest, ' '), 0, UINT32_MAX, &lifetime_s))
		exit(2);
	return (unsigned)lifetime_s;
}

static struct span
many_x(struct span count, struct arena *arena)
{
	uint64_t bytes = 0;

	if (!span_to_u64(count, 0, 16 * 1024 * 1024, &bytes))
		exit(2);
	return span_range(memset(arena_alloc(arena, bytes + 1), 'x', bytes), bytes);
}

static void
obey(struct peers *peers, struct span line, struct arena *arena)
{
	struct span verb = span_cut(&line, ' '), name = span_cut(&line, ' '), value = { "", 0 };
	struct key key = key_of(name.at != NULL ? name : span_of(""));
	int64_t started_us = monotonic_us();

	if (span_equals(verb, "get")) {
		enum peer_answer answer = peers_get(peers, &key, arena, &value);

		if (value.length > 100)
			value.length = 100;
		reply(answer, started_us, value);
	} else if (span_equals(verb, "put")) {
		unsigned lifetime_s = lifetime_of(&line);

		reply(peers_put(peers, &key, line, lifetime_s), started_us, value);
	} else if (span_equals(verb, "fill")) {
		unsigned lifetime_s = lifetime_of(&line);

		reply(peers_put(peers, &key, many_x(line, arena), lifetime_s), started_us, value);
	} else if (span_equals(verb, "add")) {
		unsigned lifetime_s = lifetime_of(&line);

		reply(peers_add(peers, &key, line, lifetime_s), started_us, value);
	} else if (span_equals(verb, "delete")) {
		reply(peers_delete(peers, &key), started_us, value);
	} else if (span_equals(verb, "key")) {
		printf("vitrine:%s\n", key.hex);
	} else if (span_equals(verb, "failed")) {
		int64_t failed_at_s = peers_failed_at_s(peers, &key);

		if (failed_at_s == 0)
			printf("never\n");
		else
			printf("%lld\n", (long long)(time(NULL) - failed_at_s));
	} else if (span_equals(verb, "count")) {
		unsigned configured, alive;

		peers_count(peers, &configured, &alive);
		printf("%u/%u %.3f\n", alive, configured, (double)(monotonic_us() - started_us) / 1000);
	} else {
		exit(2);
	}
	fflush(stdout);
}

static struct breaker *
map_breakers(const char *path)
{
	const size_t size = PEERS_MAX * sizeof(struct breaker);
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

static struct peers *peers;

static void
blame(int number)
{
	(void)number;
	peers_blame(peers);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	sigset_t all;

	if (argc < 5 || argc > 7)
		return 2;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGABRT, blame);
	peers = peers_open(&(struct peers_config){
		.servers = argv[1],
		.connect_timeout_ms = (unsigned)strtoul(argv[2], NULL, 10),
		.timeout_ms = (unsigned)strtoul(argv[3], NULL, 10),
		.retry_after_s = (unsigned)strtoul(argv[4], NULL, 10),
		.breakers = argc > 5 && argv[5][0] != '\0' ? map_breakers(argv[5]) : NULL,
		.secret = argc > 6 ? argv[6] : NULL
	}, &why);
	if (peers == NULL) {
		printf("%s\n", why.detail);
		arena_free(arena);
		return 1;
	}
	while ((length = getline(&line, &capacity, stdin)) > 0) {
		obey(peers, span_range(line, (size_t)length - 1), arena);
		arena_reset(arena);
	}
	peers_close(peers);
	arena_free(arena);
	free(line);
	return 0;
}
