#include "fcgi-app/known_rows.h"

#include "base/check.h"
#include "base/deadline.h"
#include "base/digest.h"

#include <string.h>

enum { KEPT_US = 1000000 };

/* A row and its words, so that padding is the same wherever it is copied. */
union copy {
	struct known_row row;
	uint64_t words[KNOWN_ROW_WORDS];
};

static size_t
place_of(struct span id)
{
	return checksum_of_bytes(id.at, id.length, 0) % KNOWN_ROWS;
}

static uint64_t
checksum_of(const union copy *copy)
{
	return checksum_of_bytes(&copy->words[1], sizeof(copy->words) - sizeof(copy->words[0]), 0);
}

/* Of whatever asset.  A place that was never written has no id. */
static bool
read_place(const struct known_rows *rows, struct span id, union copy *copy)
{
	const _Atomic uint64_t *words = rows->places[place_of(id)].words;

	for (size_t i = 0; i < KNOWN_ROW_WORDS; i++)
		copy->words[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
	return copy->row.asset.id[0] != '\0' && copy->row.checksum == checksum_of(copy);
}

static void
write_place(struct known_rows *rows, union copy *copy)
{
	_Atomic uint64_t *words = rows->places[place_of(span_of(copy->row.asset.id))].words;

	copy->row.checksum = checksum_of(copy);
	for (size_t i = 0; i < KNOWN_ROW_WORDS; i++)
		atomic_store_explicit(&words[i], copy->words[i], memory_order_relaxed);
}

enum knowledge
known_rows_find(const struct known_rows *rows, struct span id, struct asset *asset, int64_t *age_us)
{
	union copy copy;

	if (!read_place(rows, id, &copy) || !span_equals(id, copy.row.asset.id))
		return NOTHING_KNOWN;
	*age_us = monotonic_us() - copy.row.said_us;
	if (*age_us < 0)
		return NOTHING_KNOWN;
	if (copy.row.is_missing)
		return MISSING_KNOWN;
	*asset = copy.row.asset;
	return ROW_KNOWN;
}

void
known_rows_put(struct known_rows *rows, const struct asset *asset, int64_t said_us)
{
	struct span id = span_of(asset->id);
	union copy copy;

	if (read_place(rows, id, &copy) && span_equals(id, copy.row.asset.id) &&
	    copy.row.asset.version > asset->version && copy.row.said_us >= said_us)
		return;
	memset(&copy, 0, sizeof(copy));
	copy.row.said_us = said_us;
	copy.row.asset = *asset;
	write_place(rows, &copy);
}

/* A row that was said later is right; one of another asset may be a busy one's. */
static bool
is_to_stay(const union copy *copy, struct span id, int64_t said_us)
{
	if (span_equals(id, copy->row.asset.id))
		return copy->row.said_us > said_us;
	return !copy->row.is_missing && said_us - copy->row.said_us < KEPT_US;
}

void
known_rows_put_missing(struct known_rows *rows, struct span id, int64_t said_us)
{
	union copy copy;

	CHECK(id.length < sizeof(copy.row.asset.id));
	if (read_place(rows, id, &copy) && is_to_stay(&copy, id, said_us))
		return;
	memset(&copy, 0, sizeof(copy));
	copy.row.said_us = said_us;
	copy.row.is_missing = true;
	memcpy(copy.row.asset.id, id.at, id.length);
	write_place(rows, &copy);
}

bool
known_rows_claim(struct known_rows *rows, struct span id, unsigned pause_ms)
{
	_Atomic int64_t *asked_us = &rows->places[place_of(id)].asked_us;
	int64_t last_us = atomic_load_explicit(asked_us, memory_order_relaxed), now_us = monotonic_us();

	if (last_us != 0 && now_us - last_us < (int64_t)pause_ms * 1000)
		return false;
	return atomic_compare_exchange_strong_explicit(asked_us, &last_us, now_us, memory_order_relaxed,
	    memory_order_relaxed);
}

void
known_rows_release(struct known_rows *rows, struct span id)
{
	atomic_store_explicit(&rows->places[place_of(id)].asked_us, 0, memory_order_relaxed);
}

bool
known_rows_is_claimed(const struct known_rows *rows, struct span id)
{
	return atomic_load_explicit(&rows->places[place_of(id)].asked_us, memory_order_relaxed) != 0;
}
