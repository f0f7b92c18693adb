/*
 * fuzz_asset_row - rows as a database may return them, whatever its columns' types and constraints.
 * The input is a byte of type for each column, and its value: a number of eight bytes, or a line.  A
 * row that is taken prints and parses as every other asset.
 */
#include "base/check.h"
#include "catalog/asset_row.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ASSET_COLUMNS = 27 };	/* ASSET_ROW_COLUMNS */

static uint64_t
take_number(struct span *rest)
{
	size_t length = rest->length < sizeof(uint64_t) ? rest->length : sizeof(uint64_t);
	uint64_t number = 0;

	if (length > 0)
		memcpy(&number, rest->at, length);
	*rest = span_range(rest->at + length, rest->length - length);
	return number;
}

static struct database_value
take_value(struct span *rest)
{
	struct database_value value = { .type = DATABASE_NULL };
	uint64_t number;

	if (rest->length == 0)
		return value;
	value.type = (enum database_type)((unsigned char)rest->at[0] % (DATABASE_TEXT + 1));
	*rest = span_range(rest->at + 1, rest->length - 1);
	if (value.type == DATABASE_INTEGER) {
		value.integer = (int64_t)take_number(rest);
	} else if (value.type == DATABASE_DOUBLE) {
		number = take_number(rest);
		memcpy(&value.real, &number, sizeof(number));
	} else if (value.type == DATABASE_TEXT) {
		value.text = span_cut(rest, '\n');
	}
	return value;
}

static void
check_asset(const struct asset *asset)
{
	static struct asset again;
	struct arena *arena = arena_new();
	struct text printed;

	CHECK(asset_id_is_valid(span_of(asset->id)) && asset->frames >= 1 && asset->media != MEDIA_NONE);
	CHECK(asset->visibility < VISIBILITY_COUNT);
	text_init(&printed, arena, ASSET_PRINTED_MAX);
	asset_print(asset, &printed);
	CHECK(!printed.was_cut);
	/* A row may hold what the ring refuses; then it is asked of the database each time. */
	if (asset_parse(text_span(&printed), &again))
		CHECK(strcmp(again.id, asset->id) == 0 && strcmp(again.key, asset->key) == 0);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span rest = span_range((const char *)bytes, size);
	static struct database_row row;
	static struct asset asset;
	struct failure why = { 0 };

	row.column_count = ASSET_COLUMNS;
	for (unsigned i = 0; i < ASSET_COLUMNS; i++)
		row.columns[i] = take_value(&rest);
	if (asset_row_read(&row, &asset, &why))
		check_asset(&asset);
	else
		CHECK(why.kind == FAIL_UPSTREAM);
	return 0;
}
