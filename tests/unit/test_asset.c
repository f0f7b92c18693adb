/* test_asset - ids, the upright size, and rows that travel as text. */
#include "asset/asset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct arena *arena;

static int
open_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* Zeroed to the last byte, so that rows can be compared as memory. */
static void
fill(struct asset *asset)
{
	memset(asset, 0, sizeof(*asset));
	snprintf(asset->id, sizeof(asset->id), "bike-7_A");
	snprintf(asset->origin, sizeof(asset->origin), "media");
	snprintf(asset->key, sizeof(asset->key), "2024/caf\xC3\xA9 %%41\n+&.jpg");
	asset->version = UINT64_MAX;
	asset->bytes = 123456789;
	snprintf(asset->etag, sizeof(asset->etag), "\"abc-3\"");
	asset->media = MEDIA_JPEG;
	asset->width = 6000;
	asset->height = 4000;
	asset->frames = 1;
	asset->orientation = 6;
	asset->is_progressive = true;
	asset->visibility = VISIBILITY_SIGNED;
	asset->has_focus = true;
	asset->focus_x = 0.333333;
	asset->focus_y = 1;
	snprintf(asset->credit, sizeof(asset->credit), "\xC2\xA9 A. Body, 100 %%");
	asset->credit_is_imposed = true;
	snprintf(asset->colours, sizeof(asset->colours), "336699,336699,ffffff");
	snprintf(asset->blurhash, sizeof(asset->blurhash), "LEHV6nWB2yk8pyo0adR*.7kCMdnj");
	snprintf(asset->thumbhash, sizeof(asset->thumbhash), "1QcSHQRnh493V4dIh4eXh1h4kJUI");
	snprintf(asset->placeholder, sizeof(asset->placeholder), "data:image/webp;base64,UklGRg+/==");
	snprintf(asset->owner, sizeof(asset->owner), "end\n");
	asset->created = -1;
	asset->updated = INT64_MAX;
	asset->expires = -INT64_MAX;
}

static struct text
printed(const struct asset *asset)
{
	struct text out;

	text_init(&out, arena, ASSET_PRINTED_MAX);
	asset_print(asset, &out);
	assert_false(out.was_cut);
	return out;
}

static void
test_takes_ids_of_64_plain_characters(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	static const char *const bad[] = { "", ".", "a.b", "a/b", "a b", "a%20", "caf\xC3\xA9", "a\n" };
	char sixty_five[66] = { 0 };

	(void)state;
	assert_int_equal(strlen(alphabet), ASSET_ID_MAX);
	assert_true(asset_id_is_valid(span_of(alphabet)));
	assert_true(asset_id_is_valid(span_of("a")));
	memset(sixty_five, 'a', 65);
	assert_false(asset_id_is_valid(span_of(sixty_five)));
	assert_false(asset_id_is_valid(span_range("a\0", 2)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(asset_id_is_valid(span_of(bad[i])));
}

static void
test_turns_the_size_upright(void **state)
{
	struct asset asset = { .width = 600, .height = 400 };

	(void)state;
	for (asset.orientation = 0; asset.orientation <= 9; asset.orientation++) {
		bool is_on_its_side = asset.orientation >= 5 && asset.orientation <= 8;
		unsigned width, height;

		asset_upright_size(&asset, &width, &height);
		assert_int_equal(width, is_on_its_side ? 400 : 600);
		assert_int_equal(height, is_on_its_side ? 600 : 400);
	}
}

static void
test_finds_visibilities_by_name(void **state)
{
	enum asset_visibility visibility = VISIBILITY_COUNT;

	(void)state;
	for (enum asset_visibility i = VISIBILITY_PUBLIC; i < VISIBILITY_COUNT; i++) {
		assert_true(asset_visibility_find(span_of(asset_visibility_name(i)), &visibility));
		assert_int_equal(visibility, i);
	}
	assert_false(asset_visibility_find(span_of("Public"), &visibility));
	assert_false(asset_visibility_find(span_of(""), &visibility));
}

static void
test_reads_back_every_field(void **state)
{
	struct asset asset, again;
	struct text text;

	(void)state;
	memset(&again, 0xA5, sizeof(again));
	fill(&asset);
	text = printed(&asset);
	assert_true(asset_parse(text_span(&text), &again));
	assert_memory_equal(&again, &asset, sizeof(asset));
}

static void
test_reads_back_the_largest_row(void **state)
{
	struct asset asset, again;
	struct text text;

	(void)state;
	fill(&asset);
	memset(asset.id, 'a', ASSET_ID_MAX);
	memset(asset.origin, '\xff', ASSET_ORIGIN_MAX);
	memset(asset.key, '\xff', ASSET_KEY_MAX);
	memset(asset.etag, '"', ASSET_ETAG_MAX);
	memset(asset.watermark, ' ', ASSET_TEXT_MAX);
	memset(asset.credit, ' ', ASSET_TEXT_MAX);
	memset(asset.colours, ' ', ASSET_COLOURS_MAX);
	memset(asset.blurhash, ' ', ASSET_BLURHASH_MAX);
	memset(asset.thumbhash, ' ', ASSET_THUMBHASH_MAX);
	memset(asset.placeholder, ' ', ASSET_PLACEHOLDER_MAX);
	memset(asset.owner, ' ', ASSET_TEXT_MAX);
	asset.bytes = UINT64_MAX;
	asset.width = asset.height = asset.frames = UINT32_MAX;
	asset.created = asset.updated = -INT64_MAX;
	text = printed(&asset);
	assert_true(asset_parse(text_span(&text), &again));
	assert_memory_equal(&again, &asset, sizeof(asset));
}

static void
test_refuses_what_was_cut_anywhere(void **state)
{
	struct asset asset, again;
	struct text text;

	(void)state;
	fill(&asset);
	text = printed(&asset);
	for (size_t length = 0; length < text.length; length++)
		assert_false(asset_parse(span_range(text.at, length), &again));
	text_add_char(&text, '\n');
	assert_false(asset_parse(text_span(&text), &again));
}

/* Replaces the one line that begins so. */
static struct text
with_line(const char *start, const char *line)
{
	struct asset asset;
	struct text text, out;
	const char *found;

	fill(&asset);
	text = printed(&asset);
	found = strstr(text.at, start);
	if (found == NULL)
		fail_msg("no line '%s'", start);
	text_init(&out, arena, ASSET_PRINTED_MAX);
	text_add_bytes(&out, text.at, (size_t)(found - text.at));
	text_add(&out, line);
	text_add(&out, strchr(found, '\n'));
	return out;
}

static void
test_refuses_rows_that_it_would_not_print(void **state)
{
	static const struct {
		const char *start, *line;
	} cases[] = {
		{ "vitrine-asset 2", "vitrine-asset 1" },
		{ "vitrine-asset 2", "vitrine-asset 3" },
		{ "vitrine-asset 2", "" },
		{ "id ", "id " },
		{ "id ", "id a.b" },
		{ "id ", "identity bike" },
		{ "id ", "id" },
		{ "origin ", "origin %00" },
		{ "origin ", "origin 123456789012345678901234567890123" },
		{ "key ", "key a%2fb" },		/* lower-case hex */
		{ "key ", "key a%2Fb" },		/* what needs no escape */
		{ "key ", "key a b" },
		{ "key ", "key %4" },
		{ "version ", "version 01" },
		{ "version ", "version -1" },
		{ "version ", "version 18446744073709551616" },
		{ "media ", "media jpeg" },
		{ "media ", "media JPG" },
		{ "media ", "media bmp" },
		{ "media ", "media " },
		{ "width ", "width 4294967296" },
		{ "orientation ", "orientation 0" },
		{ "orientation ", "orientation 9" },
		{ "has_alpha ", "has_alpha yes" },
		{ "has_alpha ", "has_alpha 2" },
		{ "visibility ", "visibility secret" },
		{ "credit_is_imposed ", "credit_is_imposed 2" },
		{ "colours ", "colours 336699,336699" },	/* a comma needs an escape */
		{ "focus_x ", "focus_x 1.5" },
		{ "focus_x ", "focus_x 0.50" },
		{ "focus_x ", "focus_x 0.1234567" },
		{ "created ", "created +1" },
		{ "created ", "created -0" },
		{ "expires ", "expires 5\nexpires 5" },
		{ "expires ", "expires 5\nfuture 5" },
		{ "updated ", "expires 0" },
		{ "end\n", "END" },
	};
	struct asset asset;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text text = with_line(cases[i].start, cases[i].line);

		if (asset_parse(text_span(&text), &asset))
			fail_msg("took '%s'", cases[i].line);
	}
}

/* The cases above fail for their own fault, not for one of with_line(). */
static void
test_takes_rows_with_other_values(void **state)
{
	static const struct {
		const char *start, *line;
	} cases[] = {
		{ "vitrine-asset 2", "vitrine-asset 2" },
		{ "origin ", "origin 12345678901234567890123456789012" },
		{ "key ", "key a/b" },
		{ "media ", "media none" },
		{ "width ", "width 4294967295" },
		{ "orientation ", "orientation 8" },
		{ "focus_x ", "focus_x 0.5" },
		{ "created ", "created -10" },
		{ "end\n", "end" },
	};
	struct asset asset;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text text = with_line(cases[i].start, cases[i].line);

		if (!asset_parse(text_span(&text), &asset))
			fail_msg("refused '%s'", cases[i].line);
	}
}

static void
test_leaves_the_row_alone_when_it_refuses(void **state)
{
	struct asset asset, before;

	(void)state;
	memset(&before, 0xA5, sizeof(before));
	memcpy(&asset, &before, sizeof(asset));
	assert_false(asset_parse(span_of("vitrine-asset 2\nid x\n"), &asset));
	assert_false(asset_parse(span_range(NULL, 0), &asset));
	assert_memory_equal(&asset, &before, sizeof(asset));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_ids_of_64_plain_characters),
		cmocka_unit_test(test_turns_the_size_upright),
		cmocka_unit_test(test_finds_visibilities_by_name),
		cmocka_unit_test(test_reads_back_every_field),
		cmocka_unit_test(test_reads_back_the_largest_row),
		cmocka_unit_test(test_refuses_what_was_cut_anywhere),
		cmocka_unit_test(test_refuses_rows_that_it_would_not_print),
		cmocka_unit_test(test_takes_rows_with_other_values),
		cmocka_unit_test(test_leaves_the_row_alone_when_it_refuses),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
