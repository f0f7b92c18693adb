/* test_policy - who may have which variant: visibility, ladder, permits. */
#include "asset/policy.h"
#include "recipe/operation.h"
#include "recipe/preset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { NOW = 1000 };

static struct preset_set presets;

static int
add_presets(void **state)
{
	struct failure why = { 0 };

	(void)state;
	return preset_add(&presets, "card", "w=333,h=222,fit=cover", &why) &&
	    preset_add(&presets, "huge", "w=3000,dpr=1.5", &why) ? 0 : -1;
}

static struct policy_config
config_of(enum policy_unsigned unsigned_urls)
{
	return (struct policy_config){ unsigned_urls, { 320, 640, 1280 }, 3 };
}

/* Stored lying on its side: upright it is 2000 wide and 4000 high. */
static struct asset
asset_of(enum asset_visibility visibility)
{
	return (struct asset){ .id = "bike", .width = 4000, .height = 2000, .orientation = 6, .frames = 1,
		.media = MEDIA_JPEG, .visibility = visibility };
}

static enum failure_kind
ask(enum policy_unsigned unsigned_urls, const struct asset *asset, const struct permit *permit,
    const char *text, enum media format, const char **detail)
{
	static struct failure why;
	struct policy_config config = config_of(unsigned_urls);
	struct recipe recipe;

	failure_clear(&why);
	if (!recipe_parse(span_of(text), &presets, &recipe, &why))
		fail_msg("%s: %s", text, why.detail);
	if (policy_allows(&config, asset, permit, &recipe, format, NOW, &why))
		assert_int_equal(why.kind, FAIL_NONE);
	else
		assert_int_not_equal(why.kind, FAIL_NONE);
	*detail = why.detail;
	return why.kind;
}

static void
test_lets_strangers_have_what_the_setting_says(void **state)
{
	static const struct {
		const char *recipe;
		bool ladder, presets, any;
	} cases[] = {
		{ "w=320", true, false, true },
		{ "w=1280", true, false, true },
		{ "w=320,dpr=1", true, false, true },
		{ "w=320,dpr=2", true, false, true },
		{ "w=320,dpr=3", true, false, true },
		{ "@card", true, true, true },
		{ "@huge", true, true, true },
		{ "@card,@huge", false, false, true },
		{ "@card,dpr=2", true, false, true },
		{ "@huge,dpr=3", true, false, true },
		{ "w=321", false, false, true },
		{ "w=640,h=480", false, false, true },
		{ "h=320", false, false, true },
		{ "w=320,q=50", false, false, true },
		{ "w=320,dpr=1.5", false, false, true },
		{ "w=320,dpr=4", false, false, true },
		{ "w=320,fit=contain", false, false, true },
		{ "w=320,enlarge=0", false, false, true },
		{ "dpr=2", false, false, true },
		{ "-", false, false, true },
		{ "original", false, false, true },
		{ "@card,w=320", false, false, true },
		{ "@card,dpr=1.5", false, false, true },
		{ "@card,h=100", false, false, true },
		/* the preset is overridden altogether: what is left is the stranger's own */
		{ "@card,w=5,h=5,fit=fill", false, false, true },
	};
	struct asset asset = asset_of(VISIBILITY_PUBLIC);
	struct permit nobody = { 0 };
	const char *detail;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const enum failure_kind want[UNSIGNED_COUNT] = {
			[UNSIGNED_LADDER] = cases[i].ladder ? FAIL_NONE : FAIL_FORBIDDEN,
			[UNSIGNED_PRESETS] = cases[i].presets ? FAIL_NONE : FAIL_FORBIDDEN,
			[UNSIGNED_ANY] = cases[i].any ? FAIL_NONE : FAIL_FORBIDDEN,
			[UNSIGNED_NONE] = FAIL_FORBIDDEN,
		};

		for (enum policy_unsigned setting = 0; setting < UNSIGNED_COUNT; setting++)
			if (ask(setting, &asset, &nobody, cases[i].recipe, MEDIA_JPEG, &detail) != want[setting])
				fail_msg("%s under setting %d: %s", cases[i].recipe, setting, detail);
	}
}

static void
test_names_the_operation_that_needs_a_token(void **state)
{
	static const struct {
		const char *recipe, *want;
	} cases[] = {
		{ "w=320,h=200", "h needs a signed URL" },
		{ "w=321", "w=321 is not on the ladder" },
		{ "@card,w=320", "w needs a signed URL" },
		{ "w=320,dpr=1.5", "dpr other than 1, 2 and 3" },
		{ "-", "without w or a preset" },
		{ "dpr=2", "without w or a preset" },
		{ "original", "original needs a signed URL" },
	};
	struct asset asset = asset_of(VISIBILITY_PUBLIC);
	struct permit nobody = { 0 };
	const char *detail;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ask(UNSIGNED_LADDER, &asset, &nobody, cases[i].recipe, MEDIA_JPEG, &detail),
		    FAIL_FORBIDDEN);
		if (strstr(detail, cases[i].want) == NULL)
			fail_msg("%s: %s", cases[i].recipe, detail);
	}
}

static void
test_asks_a_token_for_assets_that_are_not_public(void **state)
{
	struct asset asset = asset_of(VISIBILITY_SIGNED);
	struct permit nobody = { 0 }, exact = { .is_signed = true, .covers_exact_url = true };
	const char *detail;

	(void)state;
	for (enum policy_unsigned setting = 0; setting < UNSIGNED_COUNT; setting++) {
		assert_int_equal(ask(setting, &asset, &nobody, "w=320", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
		assert_int_equal(ask(setting, &asset, &nobody, "@card", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
		assert_int_equal(ask(setting, &asset, &exact, "w=7,q=3", MEDIA_JPEG, &detail), FAIL_NONE);
		assert_int_equal(ask(setting, &asset, &exact, "original", MEDIA_NONE, &detail), FAIL_NONE);
	}
}

static void
test_says_gone_to_everybody(void **state)
{
	struct asset gone = asset_of(VISIBILITY_GONE), old = asset_of(VISIBILITY_PUBLIC);
	struct permit nobody = { 0 }, exact = { .is_signed = true, .covers_exact_url = true };
	const char *detail;

	(void)state;
	assert_int_equal(ask(UNSIGNED_NONE, &gone, &nobody, "w=320", MEDIA_JPEG, &detail), FAIL_GONE);
	assert_int_equal(ask(UNSIGNED_ANY, &gone, &exact, "w=320", MEDIA_JPEG, &detail), FAIL_GONE);
	old.expires = NOW;
	assert_int_equal(ask(UNSIGNED_ANY, &old, &exact, "w=320", MEDIA_JPEG, &detail), FAIL_GONE);
	old.expires = NOW + 1;
	assert_int_equal(ask(UNSIGNED_ANY, &old, &exact, "w=320", MEDIA_JPEG, &detail), FAIL_NONE);
	old.expires = 0;
	assert_int_equal(ask(UNSIGNED_ANY, &old, &nobody, "w=320", MEDIA_JPEG, &detail), FAIL_NONE);
}

static void
test_holds_a_permit_to_its_operations_and_formats(void **state)
{
	static const struct {
		const char *recipe;
		enum media format;
		bool want;
	} cases[] = {
		{ "w=7,h=9", MEDIA_WEBP, true },
		{ "w=321", MEDIA_JPEG, true },
		{ "-", MEDIA_JPEG, true },
		{ "w=7", MEDIA_NONE, true },	/* auto: chosen among the permit's later */
		{ "@card", MEDIA_JPEG, true },
		{ "@card,w=9", MEDIA_JPEG, true },
		{ "w=7,q=80", MEDIA_JPEG, false },
		{ "@card,dpr=2", MEDIA_JPEG, false },
		{ "original", MEDIA_NONE, false },
		{ "w=7", MEDIA_PNG, false },
		{ "@card", MEDIA_AVIF, false },
	};
	struct asset asset = asset_of(VISIBILITY_SIGNED);
	struct permit permit = { .is_signed = true, .operations = operation_bit("w") | operation_bit("h"),
		.formats = 1u << MEDIA_JPEG | 1u << MEDIA_WEBP };
	const char *detail;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ask(UNSIGNED_NONE, &asset, &permit, cases[i].recipe, cases[i].format, &detail) !=
		    (cases[i].want ? FAIL_NONE : FAIL_FORBIDDEN))
			fail_msg("%s: %s", cases[i].recipe, detail);
	permit.may_read_original = true;
	assert_int_equal(ask(UNSIGNED_NONE, &asset, &permit, "original", MEDIA_NONE, &detail), FAIL_NONE);
	/* The extension in an original's name is only a name. */
	assert_int_equal(ask(UNSIGNED_NONE, &asset, &permit, "original", MEDIA_PNG, &detail), FAIL_NONE);
}

static void
test_holds_a_permit_to_its_longest_side(void **state)
{
	static const struct {
		const char *recipe;
		unsigned max_side;
		enum failure_kind want;
	} cases[] = {
		{ "w=800", 1600, FAIL_NONE },			/* 800 x 1600 */
		{ "w=801", 1600, FAIL_FORBIDDEN },		/* 801 x 1602 */
		{ "h=1600", 1600, FAIL_NONE },
		{ "h=1601", 1600, FAIL_FORBIDDEN },
		{ "w=1600,h=1600", 1600, FAIL_NONE },
		{ "w=400,dpr=2", 1600, FAIL_NONE },
		{ "w=401,dpr=2", 1600, FAIL_FORBIDDEN },
		{ "w=1600,h=1600,fit=cover", 1600, FAIL_NONE },
		{ "w=1601,h=16,fit=cover", 1600, FAIL_FORBIDDEN },
		{ "w=1601,h=16", 1600, FAIL_FORBIDDEN },	/* small, but one of endlessly many */
		{ "w=900,h=900,fit=outside", 1600, FAIL_FORBIDDEN },	/* 900 x 1800 */
		{ "w=1600,h=1600,fit=pad", 1600, FAIL_NONE },
		{ "w=5,dpr=0.5", 3, FAIL_FORBIDDEN },		/* 3 x 6 */
		{ "w=5,h=5,dpr=0.5", 3, FAIL_NONE },		/* 2.5 is 3 */
		{ "w=7,h=5,dpr=0.5", 3, FAIL_FORBIDDEN },	/* 3.5 is 4 */
		{ "-", 1600, FAIL_FORBIDDEN },			/* 2000 x 4000 */
		{ "-", 4000, FAIL_NONE },
		{ "-", 3999, FAIL_FORBIDDEN },
		{ "crop=0:0:1600:1600", 1600, FAIL_NONE },
		{ "crop=0:0:1600:1601", 1600, FAIL_FORBIDDEN },
		{ "crop=0.0:0.0:0.5:0.25", 1000, FAIL_NONE },
		{ "crop=2000:0:1:1", 1600, FAIL_BAD_REQUEST },
		{ "original", 3999, FAIL_FORBIDDEN },
		{ "original", 4000, FAIL_NONE },
		{ "@card", 300, FAIL_FORBIDDEN },		/* presets too */
		{ "@card", 333, FAIL_NONE },
		{ "w=8192", 0, FAIL_NONE },			/* no limit */
	};
	struct asset asset = asset_of(VISIBILITY_SIGNED);
	const char *detail;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct permit permit = { .is_signed = true, .operations = UINT64_MAX, .may_read_original = true,
			.max_side = cases[i].max_side };

		if (ask(UNSIGNED_NONE, &asset, &permit, cases[i].recipe, MEDIA_NONE, &detail) != cases[i].want)
			fail_msg("%s within %u: %s", cases[i].recipe, cases[i].max_side, detail);
	}
}

static void
test_refuses_a_limit_it_cannot_check(void **state)
{
	struct asset asset = asset_of(VISIBILITY_SIGNED);
	struct permit permit = { .is_signed = true, .operations = UINT64_MAX, .max_side = 1600 };
	const char *detail;

	(void)state;
	asset.width = asset.height = 0;
	assert_int_equal(ask(UNSIGNED_NONE, &asset, &permit, "w=100", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
	permit.max_side = 0;
	assert_int_equal(ask(UNSIGNED_NONE, &asset, &permit, "w=100", MEDIA_JPEG, &detail), FAIL_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lets_strangers_have_what_the_setting_says),
		cmocka_unit_test(test_names_the_operation_that_needs_a_token),
		cmocka_unit_test(test_asks_a_token_for_assets_that_are_not_public),
		cmocka_unit_test(test_says_gone_to_everybody),
		cmocka_unit_test(test_holds_a_permit_to_its_operations_and_formats),
		cmocka_unit_test(test_holds_a_permit_to_its_longest_side),
		cmocka_unit_test(test_refuses_a_limit_it_cannot_check),
	};

	return cmocka_run_group_tests(tests, add_presets, NULL);
}
