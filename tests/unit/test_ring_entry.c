/* What the ring remembers about an asset id. */
#include "catalog/ring_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int
make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct ring_entry
some_entry(void)
{
	struct ring_entry entry = {
		.written_at = 1699999940,
		.fresh_until = 1700000000,
		.valid_until = 1700000600,
		.asset = {
			.id = "photo-1", .origin = "media", .key = "a/b c.jpg", .version = 7, .bytes = 5,
			.media = MEDIA_JPEG, .width = 3, .height = 2, .frames = 1, .orientation = 6
		}
	};

	return entry;
}

static struct span
print(const struct ring_entry *entry)
{
	struct text text;

	text_init(&text, arena, RING_ENTRY_MAX);
	ring_entry_print(entry, &text);
	assert_false(text.was_cut);
	return text_span(&text);
}

static void
test_keeps_a_found_asset(void **state)
{
	struct ring_entry entry = some_entry(), parsed;
	struct span text = print(&entry);

	(void)state;
	assert_true(span_starts_with(text, "vitrine-row 2 found 1699999940 1700000000 1700000600\n"));
	assert_true(ring_entry_parse(text, span_of("photo-1"), &parsed));
	assert_false(parsed.is_missing);
	assert_int_equal(parsed.written_at, 1699999940);
	assert_int_equal(parsed.fresh_until, 1700000000);
	assert_int_equal(parsed.valid_until, 1700000600);
	assert_string_equal(parsed.asset.key, "a/b c.jpg");
	assert_int_equal(parsed.asset.version, 7);
	assert_int_equal(parsed.asset.orientation, 6);
}

static void
test_keeps_that_an_id_is_missing(void **state)
{
	struct ring_entry entry = {
		.is_missing = true, .written_at = 1, .fresh_until = 2, .valid_until = 3, .asset.id = "nobody"
	}, parsed;
	struct span text = print(&entry);

	(void)state;
	assert_string_equal(text.at, "vitrine-row 2 missing 1 2 3 nobody\n");
	assert_true(ring_entry_parse(text, span_of("nobody"), &parsed));
	assert_true(parsed.is_missing);
	assert_int_equal(parsed.valid_until, 3);
}

/* The longest text takes three characters for each byte. */
static void
fill(char *field, size_t max)
{
	for (size_t i = 0; i + 2 <= max; i += 2)
		memcpy(field + i, "\xc3\xa9", 2);
}

static void
test_has_room_for_the_longest_asset(void **state)
{
	struct ring_entry entry = some_entry(), parsed;

	(void)state;
	memset(entry.asset.id, 'i', ASSET_ID_MAX);
	memset(entry.asset.origin, 'o', ASSET_ORIGIN_MAX);
	fill(entry.asset.key, ASSET_KEY_MAX);
	fill(entry.asset.etag, ASSET_ETAG_MAX);
	fill(entry.asset.watermark, ASSET_TEXT_MAX);
	fill(entry.asset.credit, ASSET_TEXT_MAX);
	fill(entry.asset.colours, ASSET_COLOURS_MAX);
	fill(entry.asset.blurhash, ASSET_BLURHASH_MAX);
	fill(entry.asset.thumbhash, ASSET_THUMBHASH_MAX);
	fill(entry.asset.placeholder, ASSET_PLACEHOLDER_MAX);
	fill(entry.asset.owner, ASSET_TEXT_MAX);
	entry.asset.version = entry.asset.bytes = INT64_MAX;
	assert_true(ring_entry_parse(print(&entry), span_of(entry.asset.id), &parsed));
	assert_string_equal(parsed.asset.key, entry.asset.key);
	assert_string_equal(parsed.asset.owner, entry.asset.owner);
}

static void
test_refuses_an_entry_of_another_id(void **state)
{
	struct ring_entry found = some_entry(), parsed;
	struct ring_entry missing = { .is_missing = true, .asset.id = "nobody" };

	(void)state;
	assert_false(ring_entry_parse(print(&found), span_of("photo-2"), &parsed));
	assert_false(ring_entry_parse(print(&found), span_of("photo-"), &parsed));
	assert_false(ring_entry_parse(print(&missing), span_of("photo-1"), &parsed));
}

static void
test_refuses_every_cut_entry(void **state)
{
	struct ring_entry entry = some_entry(), parsed;
	struct span whole = print(&entry);

	(void)state;
	for (size_t length = 0; length < whole.length; length++)
		assert_false(ring_entry_parse(
		    span_range(arena_copy_bytes(arena, whole.at, length), length), span_of("photo-1"), &parsed));
}

static void
test_refuses_what_this_version_does_not_print(void **state)
{
	static const char *const texts[] = {
		"", "\n", "photo-1", "vitrine-row 1 missing 1 2 photo-1\n", "vitrine-row 1 missing 1 2 3 photo-1\n",
		"vitrine-row 3 missing 1 2 3 photo-1\n", "vitrine-row 2 missing 1 2 photo-1\n",
		"vitrine-row 2 missing 1 2 3 photo-1", "vitrine-row 2 missing 1 2 3 4 photo-1\n",
		"vitrine-row 2 missing 1 2 3 photo-1\n\n", "vitrine-row 2 missing 1 2 3  photo-1\n",
		"vitrine-row 2 missing 1 2 3\n", "vitrine-row 2 missing -1 2 3 photo-1\n",
		"vitrine-row 2 missing 1 2 x photo-1\n", "vitrine-row 2 missing 1  3 photo-1\n",
		"vitrine-row 2 lost 1 2 3 photo-1\n", "vitrine-row 2 found 1 2 3\n",
		"vitrine-row 2 missing 1 99999999999999999999 3 photo-1\n", "vitrine-row 2 missing 1 2 3 photo 1\n",
	};
	struct ring_entry parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (ring_entry_parse(span_of(texts[i]), span_of("photo-1"), &parsed))
			fail_msg("took \"%s\"", texts[i]);
	assert_true(ring_entry_parse(span_of("vitrine-row 2 missing 1 2 3 photo-1\n"), span_of("photo-1"),
	    &parsed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_a_found_asset),
		cmocka_unit_test(test_keeps_that_an_id_is_missing),
		cmocka_unit_test(test_has_room_for_the_longest_asset),
		cmocka_unit_test(test_refuses_an_entry_of_another_id),
		cmocka_unit_test(test_refuses_every_cut_entry),
		cmocka_unit_test(test_refuses_what_this_version_does_not_print),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
