#include "fcgi-app/known_rows.h"

#include "base/deadline.h"
#include "base/digest.h"

#include <string.h>

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

static bool
read_place(const struct known_rows *rows, struct span id, union copy *copy)
{
	const _Atomic uint64_t *words = rows->places[place_of(id)].words;

	for (size_t i = 0; i < KNOWN_ROW_WORDS; i++)
		copy->words[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
	/* A row that was never written has no id. */
	return copy->row.asset.id[0] != '\0' && copy->row.checksum == checksum_of(copy) &&
	    span_equals(id, copy->row.asset.id);
}

bool
known_rows_find(const struct known_rows *rows, struct span id, struct asset *asset, int64_t *age_us)
{
	union copy copy;

	if (!read_place(rows, id, &copy))
		return false;
	*asset = copy.row.asset;
	*age_us = monotonic_us() - copy.row.said_us;
	return *age_us >= 0;
}

void
known_rows_put(struct known_rows *rows, const struct asset *asset, int64_t said_us)
{
	struct span id = span_of(asset->id);
	_Atomic uint64_t *words = rows->places[place_of(id)].words;
	union copy copy;

	if (read_place(rows, id, &copy) && copy.row.asset.version > asset->version && copy.row.said_us >= said_us)
		return;
	memset(&copy, 0, sizeof(copy));
	copy.row.said_us = said_us;
	copy.row.asset = *asset;
	copy.row.checksum = checksum_of(&copy);
	for (size_t i = 0; i < KNOWN_ROW_WORDS; i++)
		atomic_store_explicit(&words[i], copy.words[i], memory_order_relaxed);
}

void
known_rows_forget(struct known_rows *rows, struct span id)
{
	union copy copy;

	/* Without its checksum it is none. */
	if (read_place(rows, id, &copy))
		atomic_store_explicit(&rows->places[place_of(id)].words[0], ~copy.row.checksum, memory_order_relaxed);
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
