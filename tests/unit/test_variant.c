/* test_variant - one identity for equal wishes, another for every difference. */
#include "asset/variant.h"

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

static struct asset
bike(void)
{
	return (struct asset){ .id = "bike", .origin = "media", .key = "2024/bike.png", .version = 7,
		.media = MEDIA_PNG, .width = 400, .height = 300, .orientation = 1, .frames = 1 };
}

static struct variant
variant_of(const struct asset *asset, const char *text, enum media format)
{
	struct failure why = { 0 };
	struct recipe recipe;
	struct variant variant;

	if (!recipe_parse(span_of(text), NULL, &recipe, &why))
		fail_msg("%s: %s", text, why.detail);
	recipe_resolve_focus(&recipe, asset->has_focus, asset->focus_x, asset->focus_y);
	variant_init(&variant, arena, asset, &recipe, format);
	return variant;
}

static void
assert_key(const struct key *got, const char *want)
{
	assert_string_equal(got->hex, want);
}

/* A change of these values makes every cached file of every server stale: it
 * must be meant, and then VARIANT_REVISION or these lines say so. */
static void
test_names_results_as_it_always_did(void **state)
{
	struct asset asset = bike();
	struct variant variant;
	struct key want = key_of(span_of("original\nbike\n7\nmedia\n2024/bike.png"));
	char identity[128];

	asset.etag[0] = '\0';
	variant = variant_of(&asset, "w=200", MEDIA_WEBP);

	(void)state;
	assert_key(&variant.original_key, want.hex);
	snprintf(identity, sizeof(identity), "variant\n1\nbike\n7\n%s\nwebp\nw=200,g=c", want.hex);
	assert_key(&variant.key, key_of(span_of(identity)).hex);
	assert_string_equal(variant.recipe, "w=200,g=c");
	assert_int_equal(variant.format, MEDIA_WEBP);
}

static void
test_quotes_the_key_as_etag(void **state)
{
	struct asset asset = bike();
	struct variant variant = variant_of(&asset, "w=200", MEDIA_WEBP);

	(void)state;
	assert_int_equal(strlen(variant.etag), VARIANT_ETAG_MAX);
	assert_int_equal(variant.etag[0], '"');
	assert_int_equal(variant.etag[VARIANT_ETAG_MAX - 1], '"');
	assert_memory_equal(variant.etag + 1, variant.key.hex, KEY_HEX);
}

static void
test_gives_equal_wishes_one_name(void **state)
{
	struct asset asset = bike();
	struct variant a = variant_of(&asset, "h=100,w=0200,dpr=1", MEDIA_JPEG);
	struct variant b = variant_of(&asset, "w=200,h=100,fit=contain", MEDIA_JPEG);

	(void)state;
	assert_key(&a.key, b.key.hex);
}

static void
test_gives_every_difference_another_name(void **state)
{
	struct asset asset = bike(), other;
	struct variant variants[9];

	(void)state;
	variants[0] = variant_of(&asset, "w=200", MEDIA_WEBP);
	variants[1] = variant_of(&asset, "w=201", MEDIA_WEBP);
	variants[2] = variant_of(&asset, "w=200", MEDIA_JPEG);
	variants[3] = variant_of(&asset, "original", MEDIA_NONE);
	other = asset, other.version++;
	variants[4] = variant_of(&other, "w=200", MEDIA_WEBP);
	other = asset, snprintf(other.id, sizeof(other.id), "bike2");
	variants[5] = variant_of(&other, "w=200", MEDIA_WEBP);
	other = asset, snprintf(other.key, sizeof(other.key), "2024/bike2.png");
	variants[6] = variant_of(&other, "w=200", MEDIA_WEBP);
	other = asset, snprintf(other.origin, sizeof(other.origin), "archive");
	variants[7] = variant_of(&other, "w=200", MEDIA_WEBP);
	other = asset, other.has_focus = true;
	variants[8] = variant_of(&other, "w=200", MEDIA_WEBP);
	for (size_t i = 0; i < 9; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(variants[i].key.hex, variants[k].key.hex);
	/* The original is shared by all of its variants, and by no other version. */
	assert_key(&variants[1].original_key, variants[0].original_key.hex);
	assert_string_not_equal(variants[4].original_key.hex, variants[0].original_key.hex);
}

static void
test_gives_the_original_its_own_format_and_key(void **state)
{
	struct asset asset = bike();
	struct variant original = variant_of(&asset, "original", MEDIA_NONE);
	struct variant result = variant_of(&asset, "w=200", MEDIA_WEBP);

	(void)state;
	assert_int_equal(original.format, MEDIA_PNG);
	assert_string_equal(original.recipe, "original");
	assert_key(&original.key, original.original_key.hex);
	assert_key(&original.key, result.original_key.hex);
	assert_memory_equal(original.etag + 1, original.key.hex, KEY_HEX);
}

static void
test_keeps_an_object_that_has_a_name_when_only_the_row_changes(void **state)
{
	struct asset asset = bike(), changed, replaced;
	struct variant before, after, anew;

	(void)state;
	snprintf(asset.etag, sizeof(asset.etag), "5d41402abc4b2a76b9719d911017c592");
	changed = replaced = asset;
	changed.version++;
	replaced.version++;
	snprintf(replaced.etag, sizeof(replaced.etag), "7d793037a0760186574b0282f2f435e7");
	before = variant_of(&asset, "w=2", MEDIA_WEBP);
	after = variant_of(&changed, "w=2", MEDIA_WEBP);
	anew = variant_of(&replaced, "w=2", MEDIA_WEBP);
	assert_key(&after.original_key, before.original_key.hex);
	assert_string_not_equal(after.key.hex, before.key.hex);
	assert_string_not_equal(anew.original_key.hex, before.original_key.hex);
}

static void
test_takes_the_longest_key(void **state)
{
	struct asset asset = bike(), other;

	(void)state;
	memset(asset.key, 'x', ASSET_KEY_MAX);
	other = asset;
	other.key[ASSET_KEY_MAX - 1] = 'y';
	assert_string_not_equal(variant_of(&asset, "w=200", MEDIA_WEBP).key.hex,
	    variant_of(&other, "w=200", MEDIA_WEBP).key.hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_results_as_it_always_did),
		cmocka_unit_test(test_quotes_the_key_as_etag),
		cmocka_unit_test(test_gives_equal_wishes_one_name),
		cmocka_unit_test(test_gives_every_difference_another_name),
		cmocka_unit_test(test_gives_the_original_its_own_format_and_key),
		cmocka_unit_test(test_keeps_an_object_that_has_a_name_when_only_the_row_changes),
		cmocka_unit_test(test_takes_the_longest_key),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
