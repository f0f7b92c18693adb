/*
 * fill_store - puts many small files into a store, through lib/store, and says how long it took.
 *
 *	fill_store ROOT MAX_BYTES FIRST COUNT BYTES
 *
 * COUNT variants of BYTES bytes, with keys made of the numbers from FIRST on; variants are limited to
 * MAX_BYTES together, so the least recently used are evicted.  Prints microseconds for each write,
 * of time and of CPU.
 */
#include "base/check.h"
#include "base/deadline.h"
#include "base/file.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = 65536 };

static uint64_t
number(const char *text)
{
	uint64_t value;

	if (!span_to_u64(span_of(text), 0, UINT64_MAX, &value)) {
		fprintf(stderr, "fill_store: %s is no number\n", text);
		exit(2);
	}
	return value;
}

static bool
put(struct store *store, uint64_t at, const char *content, size_t bytes, struct failure *why)
{
	struct store_draft draft;
	struct store_file file;
	char name[40];
	struct key key;

	snprintf(name, sizeof(name), "fill %" PRIu64, at);
	key = key_of(span_of(name));
	if (!store_begin(store, &draft, why))
		return false;
	CHECK(file_write_all(draft.fd, content, bytes));
	if (!store_commit(store, &draft, STORE_VARIANTS, &key, MEDIA_WEBP, &file, why))
		return false;
	close(file.fd);
	return true;
}

static void
print_each(int64_t us, clock_t cpu, uint64_t files)
{
	double each = files == 0 ? 0 : 1 / (double)files;

	printf("%.2f %.2f\n", (double)us * each, (double)cpu * each * 1e6 / CLOCKS_PER_SEC);
}

int
main(int count, char **arguments)
{
	static char content[BYTES_MAX];
	struct store_config config = { .max_original_bytes = 1 << 30, .max_note_bytes = 1 << 30 };
	struct failure why = { 0 };
	uint64_t first, files, bytes;
	struct store *store;
	int64_t started_us;
	clock_t started;

	if (count != 6) {
		fprintf(stderr, "usage: fill_store ROOT MAX_BYTES FIRST COUNT BYTES\n");
		return 2;
	}
	config.root = arguments[1];
	config.max_variant_bytes = number(arguments[2]);
	first = number(arguments[3]);
	files = number(arguments[4]);
	bytes = number(arguments[5]);
	if (bytes > BYTES_MAX) {
		fprintf(stderr, "fill_store: at most %d bytes each\n", BYTES_MAX);
		return 2;
	}
	store = store_open(&config, &why);
	started_us = monotonic_us();
	started = clock();
	for (uint64_t i = 0; store != NULL && i < files; i++)
		if (!put(store, first + i, content, bytes, &why))
			break;
	if (why.kind == FAIL_NONE)
		print_each(monotonic_us() - started_us, clock() - started, files);
	else
		fprintf(stderr, "fill_store: %s\n", why.detail);
	store_close(store);
	return why.kind == FAIL_NONE ? 0 : 1;
}
