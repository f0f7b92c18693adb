/*
 * probe_origin - one operation on one origin, for the integration tests.
 *
 *	probe_origin [--option=value]... get KEY FILE | put KEY FILE | stat KEY | list PREFIX |
 *	    probe | fetch-many COUNT KEY FILE
 *
 * Every field of struct origin_config is an option.  Success prints what was
 * learned; failure prints "failed KIND DETAIL" and exits with 1.  With
 * --abandon-after-ms nobody wants the result any more after so long.
 * --fallback-root and --fallback-endpoint name another origin, of which all else
 * is the same; --health is a file that probes share as processes share memory.
 */
#include "base/failure.h"
#include "origin/origin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct origin_config config = {
	.name = "probe", .kind = ORIGIN_S3, .max_bytes = 64 << 20, .region = "us-east-1",
	.bucket = "media", .is_path_style = true, .connect_timeout_ms = 500,
	.stall_timeout_ms = 500, .tries = 3, .etag_is_md5 = true, .retry_after_ms = 2000,
};
static const char *fallback_root, *fallback_endpoint, *health_path;
static int64_t deadline_ms = 5000;
static struct deadline abandoned;	/* at_us is 0: never */

static const struct { const char *name; const char **text; } texts[] = {
	{ "root", &config.root }, { "endpoint", &config.endpoint }, { "region", &config.region },
	{ "bucket", &config.bucket }, { "prefix", &config.prefix },
	{ "access-key-id", &config.access_key_id },
	{ "secret-access-key", &config.secret_access_key },
	{ "session-token", &config.session_token }, { "profile", &config.profile },
	{ "tls-ca", &config.tls_ca }, { "fallback-root", &fallback_root },
	{ "fallback-endpoint", &fallback_endpoint }, { "health", &health_path },
};

static const struct { const char *name; unsigned *number; } numbers[] = {
	{ "connect-timeout-ms", &config.connect_timeout_ms },
	{ "stall-timeout-ms", &config.stall_timeout_ms }, { "tries", &config.tries },
	{ "retry-after-ms", &config.retry_after_ms },
};

static bool
set_option(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].text = value;
			config.kind = config.root != NULL ? ORIGIN_DIRECTORY : ORIGIN_S3;
			return true;
		}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].number = (unsigned)strtoul(value, NULL, 10);
			return true;
		}
	if (strcmp(name, "max-bytes") == 0)
		config.max_bytes = strtoull(value, NULL, 10);
	else if (strcmp(name, "deadline-ms") == 0)
		deadline_ms = strtoll(value, NULL, 10);
	else if (strcmp(name, "abandon-after-ms") == 0)
		abandoned = deadline_in_ms(strtoll(value, NULL, 10));
	else if (strcmp(name, "etag-is-no-md5") == 0)
		config.etag_is_md5 = false;
	else if (strcmp(name, "virtual-host") == 0)
		config.is_path_style = false;
	else
		return false;
	return true;
}

static bool
is_abandoned(void *state)
{
	(void)state;
	return deadline_has_passed(abandoned);
}

static struct deadline
start_deadline(void)
{
	static struct vigil vigil = { .is_over = is_abandoned };
	struct deadline deadline = deadline_in_ms(deadline_ms);

	if (abandoned.at_us != 0)
		deadline.vigil = &vigil;
	return deadline;
}

static int
usage(void)
{
	fputs("usage: probe_origin [--option=value]... get|put|stat|list|probe|fetch-many ...\n", stderr);
	return 2;
}

static int
report(bool is_done, const struct origin_object *object, const struct failure *why)
{
	if (!is_done) {
		printf("failed %s %s\n", failure_kind_name(why->kind), why->detail);
		return 1;
	}
	printf("bytes=%llu etag=%s modified=%lld fallback=%d md5=%s\n", (unsigned long long)object->bytes, object->etag,
	    (long long)object->modified, object->is_from_fallback, object->md5);
	return 0;
}

static bool
print_key(void *state, const char *key, const struct origin_object *object)
{
	(void)state;
	printf("%llu %s %lld %s\n", (unsigned long long)object->bytes, object->etag,
	    (long long)object->modified, key);
	return true;
}

/* Each fetch with a deadline of its own and a line of its own. */
static int
fetch_many(struct origin *origin, unsigned long count, const char *key, int fd)
{
	int failures = 0;

	for (unsigned long i = 0; i < count; i++) {
		struct origin_object object = { 0 };
		struct failure why = { 0 };

		failures += report(origin_fetch(origin, key, fd, start_deadline(), &object, &why), &object,
		    &why);
	}
	return failures > 0;
}

static int
run(struct origin *origin, int count, char **words)
{
	struct deadline deadline = start_deadline();
	const char *verb = words[0], *key = count > 1 ? words[1] : "";
	struct origin_object object = { 0 };
	struct failure why = { 0 };
	int fd = -1;

	if (count > 2) {
		fd = open(words[count - 1], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (fd == -1) {
			perror(words[count - 1]);
			return 2;
		}
	}
	if (strcmp(verb, "get") == 0 && count == 3)
		return report(origin_fetch(origin, key, fd, deadline, &object, &why), &object, &why);
	if (strcmp(verb, "put") == 0 && count == 3)
		return report(origin_put(origin, key, fd, "image/jpeg", deadline, &object, &why), &object,
		    &why);
	if (strcmp(verb, "stat") == 0 && count == 2)
		return report(origin_stat(origin, key, deadline, &object, &why), &object, &why);
	if (strcmp(verb, "list") == 0 && count == 2)
		return report(origin_list(origin, key, deadline, print_key, NULL, &why), &object, &why);
	if (strcmp(verb, "probe") == 0 && count == 1)
		return report(origin_probe(origin, deadline, &why), &object, &why);
	if (strcmp(verb, "fetch-many") == 0 && count == 4)
		return fetch_many(origin, strtoul(key, NULL, 10), words[2], fd);
	return usage();
}

/* Both origins' health in one file. */
static bool
open_health(struct origin_config *fallback)
{
	enum { SIZE = 2 * sizeof(struct origin_health) };
	int fd = open(health_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	struct origin_health *health;

	if (fd == -1 || ftruncate(fd, SIZE) == -1)
		return false;
	health = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (health == MAP_FAILED)
		return false;
	config.health = &health[0];
	fallback->health = &health[1];
	return true;
}

static bool
complete_config(void)
{
	static struct origin_config fallback;

	fallback = config;
	fallback.name = "fallback";
	fallback.root = fallback_root;
	fallback.kind = fallback_root != NULL ? ORIGIN_DIRECTORY : ORIGIN_S3;
	fallback.endpoint = fallback_endpoint;
	if (fallback_root != NULL || fallback_endpoint != NULL)
		config.fallback = &fallback;
	return health_path == NULL || open_health(&fallback);
}

int
main(int count, char **words)
{
	struct failure why = { 0 };
	struct origin *origin;
	int at = 1, status;

	signal(SIGPIPE, SIG_IGN);
	for (; at < count && strncmp(words[at], "--", 2) == 0; at++) {
		char *name = words[at] + 2, *value = strchr(name, '=');

		if (value == NULL)
			return usage();
		*value++ = '\0';
		if (!set_option(name, value))
			return usage();
	}
	if (at == count || !complete_config())
		return usage();
	origin = origin_open(&config, &why);
	if (origin == NULL)
		return report(false, NULL, &why);
	status = run(origin, count - at, words + at);
	origin_close(origin);
	return status;
}
