/* test_mezzanine - which variants look the same when they are made of a mezzanine. */
#include "image/description.h"
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void
test_suits_what_only_scales_and_softens(void **state)
{
	static const struct {
		const char *recipe;
		enum media format;
		bool suits;
	} table[] = {
		{ "w=400", MEDIA_JPEG, true },
		{ "w=400", MEDIA_WEBP, true },
		{ "w=400", MEDIA_AVIF, true },
		{ "w=400", MEDIA_JXL, true },
		{ "w=400,h=300,fit=cover,g=ne,rot=90,flip=h", MEDIA_WEBP, true },
		{ "w=400,q=90", MEDIA_JPEG, true },
		{ "w=400,q=auto,max-bytes=20000", MEDIA_JPEG, true },
		{ "w=400,bri=-20,con=-20,sat=-100,hue=90,gray=1,sepia=40", MEDIA_JPEG, true },
		{ "w=400,blur=3,pixelate=4,border=4,round=9", MEDIA_JPEG, true },
		{ "w=400,icc=keep,strip=keep", MEDIA_JPEG, true },

		{ "w=400", MEDIA_PNG, false },
		{ "w=400", MEDIA_GIF, false },
		{ "w=400,lossless=1", MEDIA_WEBP, false },
		{ "w=400,q=91", MEDIA_JPEG, false },
		{ "w=400,bri=1", MEDIA_JPEG, false },
		{ "w=400,con=1", MEDIA_JPEG, false },
		{ "w=400,sat=1", MEDIA_JPEG, false },
		{ "w=400,gamma=0.9", MEDIA_JPEG, false },
		{ "w=400,sharpen=1", MEDIA_JPEG, false },
		{ "w=400,usm=1", MEDIA_JPEG, false },
		{ "w=400,trim=5", MEDIA_JPEG, false },
		{ "w=400,h=400,fit=cover,g=smart", MEDIA_JPEG, false },
		{ "w=400,h=400,fit=cover,g=entropy", MEDIA_JPEG, false },
		{ "w=400,page=1", MEDIA_JPEG, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct failure why = { 0 };
		struct recipe recipe;

		if (!recipe_parse(span_of(table[i].recipe), NULL, &recipe, &why))
			fail_msg("%s: %s", table[i].recipe, why.detail);
		if (recipe_suits_mezzanine(&recipe, table[i].format) != table[i].suits)
			fail_msg("%s to %s", table[i].recipe, media_extension(table[i].format));
	}
}

static void
test_is_worth_it_where_all_is_decoded(void **state)
{
	static const struct {
		struct image_description description;
		bool is_worth_it;
	} table[] = {
		{ { MEDIA_PNG, 2000, 1500, 1, 1, false, false }, true },
		{ { MEDIA_PNG, 1999, 1500, 1, 1, false, false }, false },
		{ { MEDIA_PNG, 0, 0, 1, 1, false, false }, false },
		{ { MEDIA_PNG, 10000000, 10000000, 1, 1, true, true }, true },
		{ { MEDIA_JPEG, 9000, 9000, 1, 1, false, false }, false },
		{ { MEDIA_JPEG, 9000, 9000, 1, 6, false, true }, true },
		{ { MEDIA_WEBP, 9000, 9000, 1, 1, false, false }, true },
		{ { MEDIA_WEBP, 9000, 9000, 2, 1, false, false }, false },
		{ { MEDIA_TIFF, 9000, 9000, 3, 1, false, false }, false },
		{ { MEDIA_HEIC, 9000, 9000, 1, 1, false, false }, true },
		{ { MEDIA_AVIF, 9000, 9000, 1, 1, false, false }, true },
		{ { MEDIA_JXL, 9000, 9000, 1, 1, false, false }, true },
		{ { MEDIA_GIF, 9000, 9000, 1, 1, false, false }, false },
		{ { MEDIA_SVG, 9000, 9000, 1, 1, false, false }, false },
		{ { MEDIA_NONE, 9000, 9000, 1, 1, false, false }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (description_is_worth_a_mezzanine(&table[i].description) != table[i].is_worth_it)
			fail_msg("row %zu", i);
}

static void
test_is_small_for_small_results_and_has_all_pixels_for_others(void **state)
{
	static const struct {
		unsigned width, height;
		double factor;
		unsigned shrink;
	} table[] = {
		{ 3200, 2000, 2, 1 },
		{ 3200, 2000, 32, 1 },
		{ 3200, 2000, 1, 1 },
		{ 3201, 2000, 3.99, 1 },
		{ 3201, 2000, 4, 2 },
		{ 2000, 6400, 100, 2 },
		{ 5120, 2880, 5120.0 / 1280, 2 },
		{ 5120, 2880, 5120.0 / 1281, 1 },
		{ 5120, 2880, 0, 1 },
		{ 6000, 4000, 3, 1 },
		{ 6001, 4000, 3, 2 },
		{ 6001, 4000, 4, 2 },
		{ 12800, 7000, 8, 4 },
		{ 12800, 7000, 7.9, 2 },
		{ 12801, 7000, 16, 8 },
		{ 100000, 1500, 16, 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct image_description description = { .width = table[i].width, .height = table[i].height };

		if (description_mezzanine_shrink(&description, table[i].factor) != table[i].shrink)
			fail_msg("row %zu gives %u", i,
			    description_mezzanine_shrink(&description, table[i].factor));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suits_what_only_scales_and_softens),
		cmocka_unit_test(test_is_worth_it_where_all_is_decoded),
		cmocka_unit_test(test_is_small_for_small_results_and_has_all_pixels_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
