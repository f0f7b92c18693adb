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
dressed_variant_of(const struct asset *asset, const char *text, const struct overlays *overlays,
    const struct key *mark, enum media format)
{
	struct variant_parts parts = { .asset = asset, .overlays = overlays, .mark = mark, .format = format };
	struct failure why = { 0 };
	struct recipe recipe;
	struct variant variant;

	if (!recipe_parse(span_of(text), NULL, &recipe, &why))
		fail_msg("%s: %s", text, why.detail);
	recipe_resolve_focus(&recipe, asset->has_focus, asset->focus_x, asset->focus_y);
	parts.recipe = &recipe;
	variant_init(&variant, arena, &parts);
	return variant;
}

static struct variant
variant_of(const struct asset *asset, const char *text, enum media format)
{
	const struct overlays nothing = { 0 };

	return dressed_variant_of(asset, text, &nothing, NULL, format);
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
	snprintf(identity, sizeof(identity), "variant\n2\nbike\n7\n%s\nwebp\nw=200,g=c\n-\n-", want.hex);
	assert_key(&variant.key, key_of(span_of(identity)).hex);
	assert_string_equal(variant.recipe, "w=200,g=c");
	assert_int_equal(variant.format, MEDIA_WEBP);

	snprintf(asset.etag, sizeof(asset.etag), "e-tag");
	asset.bytes = 1234567;
	want = key_of(span_of("object\nmedia\ne-tag\n1234567\n2024/bike.png"));
	variant = variant_of(&asset, "w=200", MEDIA_WEBP);
	assert_key(&variant.original_key, want.hex);
}

static void
test_quotes_the_key_as_etag(void **state)
{
	struct asset asset = bike();
	struct variant variant = variant_of(&asset, "w=200", MEDIA_WEBP);

	(void)state;
	assert_int_equal(strlen(variant.etag), VARIANT_ETAG_MAX);
	assert_memory_equal(variant.etag, "W/\"", 3);
	assert_int_equal(variant.etag[VARIANT_ETAG_MAX - 1], '"');
	assert_memory_equal(variant.etag + 3, variant.key.hex, KEY_HEX);
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

/* Two marks that look alike, one of them with a new picture. */
static void
test_gives_what_lies_over_it_another_name(void **state)
{
	const struct mark mark = { .is_set = true, .position = GRAVITY_SOUTH_EAST, .scale = 0.2, .opacity = 1 };
	const struct key one = key_of(span_of("one picture")), two = key_of(span_of("another"));
	struct overlays nothing = { 0 }, marked = { .mark = mark }, lighter = { .mark = mark }, told = { 0 };
	struct asset asset = bike();
	struct variant variants[5];

	(void)state;
	lighter.mark.opacity = 0.5;
	told.captions[told.caption_count++] = (struct caption){ .text = "A. Body", .font = "Sans", .size = 0.03,
		.position = GRAVITY_SOUTH };
	variants[0] = dressed_variant_of(&asset, "w=200", &nothing, &one, MEDIA_WEBP);
	variants[1] = dressed_variant_of(&asset, "w=200", &marked, &one, MEDIA_WEBP);
	variants[2] = dressed_variant_of(&asset, "w=200", &marked, &two, MEDIA_WEBP);
	variants[3] = dressed_variant_of(&asset, "w=200", &lighter, &one, MEDIA_WEBP);
	variants[4] = dressed_variant_of(&asset, "w=200", &told, NULL, MEDIA_WEBP);
	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(variants[i].key.hex, variants[k].key.hex);
	/* A picture that nothing shows does not count. */
	assert_key(&variants[0].key, variant_of(&asset, "w=200", MEDIA_WEBP).key.hex);
	assert_string_equal(variants[0].overlays, "-");
}

static void
test_does_not_count_what_decides_no_pixel(void **state)
{
	static const char *const same[] = { "w=200,dl=report", "w=200,watermark=logo", "w=200,credit=1",
		"w=200,text=hello,textg=n,textsize=0.1,textcolor=f00" };
	struct asset asset = bike();
	struct variant plain = variant_of(&asset, "w=200", MEDIA_WEBP);

	(void)state;
	/* What watermark, credit and text became is in the overlays; here they became nothing. */
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct variant variant = variant_of(&asset, same[i], MEDIA_WEBP);

		assert_key(&variant.key, plain.key.hex);
		assert_string_equal(variant.recipe, plain.recipe);
	}
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
	assert_int_equal(original.etag[0], '"');
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

static void
test_a_mezzanine_follows_its_original(void **state)
{
	struct asset first = bike(), second = bike();
	struct key keys[2][2];

	(void)state;
	second.version = 8;
	keys[0][0] = variant_original_key(arena, &first);
	keys[1][0] = variant_original_key(arena, &second);
	for (unsigned i = 0; i < 2; i++)
		keys[i][1] = variant_mezzanine_key(&keys[i][0], 2);
	assert_string_equal(keys[0][1].hex, variant_mezzanine_key(&keys[0][0], 2).hex);
	assert_string_not_equal(keys[0][1].hex, variant_mezzanine_key(&keys[0][0], 1).hex);
	assert_string_not_equal(keys[0][1].hex, keys[1][1].hex);
	assert_string_not_equal(keys[0][1].hex, keys[0][0].hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_results_as_it_always_did),
		cmocka_unit_test(test_quotes_the_key_as_etag),
		cmocka_unit_test(test_gives_equal_wishes_one_name),
		cmocka_unit_test(test_gives_every_difference_another_name),
		cmocka_unit_test(test_gives_what_lies_over_it_another_name),
		cmocka_unit_test(test_does_not_count_what_decides_no_pixel),
		cmocka_unit_test(test_gives_the_original_its_own_format_and_key),
		cmocka_unit_test(test_keeps_an_object_that_has_a_name_when_only_the_row_changes),
		cmocka_unit_test(test_takes_the_longest_key),
		cmocka_unit_test(test_a_mezzanine_follows_its_original),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
