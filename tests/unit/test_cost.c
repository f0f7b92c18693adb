/* test_cost - the order of what is dear and what is cheap, and no nonsense at the ends. */
#include "asset/cost.h"

#include "base/failure.h"
#include "recipe/preset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct asset
photo(enum media media, unsigned width, unsigned height)
{
	struct asset asset = { .media = media, .width = width, .height = height, .frames = 1, .orientation = 1 };

	return asset;
}

static unsigned
cost(const struct asset *asset, const char *text, enum media format)
{
	struct failure why = { 0 };
	struct recipe recipe;

	assert_true(recipe_parse(span_of(text), NULL, &recipe, &why));
	recipe_resolve_focus(&recipe, false, 0, 0);
	return cost_of_variant(asset, &recipe, format);
}

/* Measured: 65 ms for a JPEG of 400 pixels from 16 megapixels, 12 s for an AVIF of 8
 * megapixels at full size with the encoder's default effort. */
static void
test_is_near_what_was_measured(void **state)
{
	struct asset jpeg = photo(MEDIA_JPEG, 4896, 3264), png = photo(MEDIA_PNG, 3840, 2160);

	(void)state;
	assert_in_range(cost(&jpeg, "w=400", MEDIA_JPEG), 30, 150);
	assert_in_range(cost(&png, "w=400", MEDIA_JPEG), 100, 400);
	assert_in_range(cost(&jpeg, "w=8000,enlarge=1", MEDIA_AVIF), 5000, 60000);
}

static void
test_orders_what_is_dear(void **state)
{
	struct asset jpeg = photo(MEDIA_JPEG, 4000, 3000), progressive = jpeg, animation = photo(MEDIA_GIF, 400, 300);

	(void)state;
	progressive.is_progressive = true;
	animation.frames = 100;
	assert_true(cost(&progressive, "w=400", MEDIA_JPEG) > cost(&jpeg, "w=400", MEDIA_JPEG));
	assert_true(cost(&jpeg, "w=1600", MEDIA_AVIF) > 2 * cost(&jpeg, "w=1600", MEDIA_WEBP));
	assert_true(cost(&jpeg, "w=1600,q=auto", MEDIA_WEBP) > 2 * cost(&jpeg, "w=1600,q=80", MEDIA_WEBP));
	assert_true(cost(&jpeg, "w=1600,blur=5,sepia=1", MEDIA_JPEG) > cost(&jpeg, "w=1600", MEDIA_JPEG));
	assert_true(cost(&animation, "w=200", MEDIA_GIF) > 50 * cost(&animation, "w=200,anim=off", MEDIA_GIF));
}

/* Which it is. */
static void
test_a_mezzanine_costs_what_a_plain_jpeg_does(void **state)
{
	struct asset jpeg = photo(MEDIA_JPEG, 4000, 3000), png = photo(MEDIA_PNG, 4000, 3000), progressive = jpeg;
	struct recipe recipe;

	(void)state;
	recipe_init(&recipe);
	recipe_resolve_focus(&recipe, false, 0, 0);
	recipe.width = 400;
	progressive.is_progressive = true;
	assert_int_equal(cost_through_mezzanine(&png, &recipe, MEDIA_WEBP), cost(&jpeg, "w=400", MEDIA_WEBP));
	assert_int_equal(cost_through_mezzanine(&progressive, &recipe, MEDIA_WEBP), cost(&jpeg, "w=400", MEDIA_WEBP));
	assert_true(cost_through_mezzanine(&png, &recipe, MEDIA_WEBP) < cost(&png, "w=400", MEDIA_WEBP) / 2);
}

static void
test_is_never_nothing_and_never_beyond_bounds(void **state)
{
	struct asset small = photo(MEDIA_PNG, 1, 1), unknown = photo(MEDIA_NONE, 0, 0);
	struct asset huge = photo(MEDIA_GIF, 10000000, 10000000);

	(void)state;
	huge.frames = 1000000;
	assert_int_equal(cost(&small, "w=1", MEDIA_PNG), 1);
	assert_in_range(cost(&unknown, "w=400", MEDIA_WEBP), 500, 10000);
	assert_int_equal(cost(&huge, "w=100", MEDIA_GIF), 1000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_near_what_was_measured),
		cmocka_unit_test(test_orders_what_is_dear),
		cmocka_unit_test(test_a_mezzanine_costs_what_a_plain_jpeg_does),
		cmocka_unit_test(test_is_never_nothing_and_never_beyond_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
