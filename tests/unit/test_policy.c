/* test_policy - who may have which variant: visibility, ladder, permits. */
#include "asset/policy.h"
#include "recipe/operation.h"
#include "recipe/preset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { NOW = 1000 };

static struct preset_set presets;

static int
add_presets(void **state)
{
	struct failure why = { 0 };

	(void)state;
	return preset_add(&presets, "card", "w=333,h=222,fit=cover", &why) &&
	    preset_add(&presets, "huge", "w=3000,dpr=1.5", &why) &&
	    preset_add(&presets, "round", "round=9", &why) &&
	    preset_add(&presets, "pad", "w=300,h=300,fit=pad", &why) &&
	    preset_add(&presets, "fill", "w=300,h=300,fit=fill", &why) &&
	    preset_add(&presets, "nested", "@card,q=50", &why) ? 0 : -1;
}

static struct policy_config
config_of(enum policy_unsigned unsigned_urls)
{
	return (struct policy_config){ unsigned_urls, { 320, 640, 1280 }, 3, false };
}

/* Stored lying on its side: upright it is 2000 wide and 4000 high. */
static struct asset
asset_of(enum asset_visibility visibility)
{
	return (struct asset){ .id = "bike", .width = 4000, .height = 2000, .orientation = 6, .frames = 1,
		.media = MEDIA_JPEG, .visibility = visibility };
}

static enum failure_kind
ask_of(struct policy_config config, const struct asset *asset, const struct permit *permit,
    const char *text, enum media format, const char **detail)
{
	static struct failure why;
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

static enum failure_kind
ask(enum policy_unsigned unsigned_urls, const struct asset *asset, const struct permit *permit,
    const char *text, enum media format, const char **detail)
{
	return ask_of(config_of(unsigned_urls), asset, permit, text, format, detail);
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
		{ "@nested", true, true, true },
		{ "@nested,dpr=2", true, false, true },
		{ "@nested,q=50", false, false, true },	/* what it says anyway is still asked */
		{ "@card,@huge", false, false, true },
		{ "@card,@nested", false, false, true },
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
		{ "w=0.5", false, false, true },
		{ "w=1.0", false, false, true },
		{ "w=320,text=Sale", false, false, false },
		{ "@card,text=Sale", false, false, false },
		{ "w=320,textsize=0.1", false, false, true },
		{ "w=320,credit=1,watermark=logo,trim=3,page=2,q=auto,dl=x", false, false, true },
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
		{ "w=0.5", "w as a fraction needs a signed URL" },
		{ "w=320,text=a", "text needs a signed URL" },
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
		{ "w=0.8", 1600, FAIL_FORBIDDEN },		/* 1600 x 3200 */
		{ "w=0.4", 1600, FAIL_NONE },
		{ "h=0.4,dpr=2", 1600, FAIL_FORBIDDEN },	/* 1600 x 3200 */
		{ "w=780,border=10", 1600, FAIL_NONE },		/* 800 x 1580 */
		{ "w=780,border=20", 1600, FAIL_NONE },		/* 820 x 1600 */
		{ "w=780,border=21", 1600, FAIL_FORBIDDEN },	/* 822 x 1602 */
		{ "w=1600,h=100,fit=fill,border=1", 1600, FAIL_FORBIDDEN },
		{ "w=800,mw=1601", 1600, FAIL_FORBIDDEN },
		{ "w=800,mh=1601", 1600, FAIL_FORBIDDEN },
		{ "w=1600,rot=90", 1600, FAIL_NONE },		/* 1600 x 800 */
		/* What nobody knows before the pixels are there is bounded by a box, or not at all. */
		{ "trim=9,w=1600,h=1600", 1600, FAIL_NONE },
		{ "trim=9,w=1600,h=1601", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=800,h=800,dpr=2,fit=cover", 1600, FAIL_NONE },
		{ "trim=9,w=801,h=800,dpr=2,fit=cover", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=9,h=9,fit=pad", 9, FAIL_NONE },
		{ "trim=9,w=9,h=9,fit=fill,enlarge=1", 9, FAIL_NONE },
		{ "trim=9,w=9,h=9,fit=outside", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=9,h=9,mw=5", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=9,h=9,mh=5", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=9", 1600, FAIL_FORBIDDEN },
		{ "trim=9,h=9", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=0.1,h=0.1", 1600, FAIL_FORBIDDEN },
		{ "trim=9,w=9,ar=1:1", 1600, FAIL_FORBIDDEN },
		{ "trim=9", 4000, FAIL_FORBIDDEN },
		{ "trim=9,w=7,h=7,border=1", 9, FAIL_NONE },
		{ "trim=9,w=8,h=7,border=1", 9, FAIL_FORBIDDEN },
		{ "trim=9,w=9,h=9", 0, FAIL_NONE },
		{ "page=2,w=9,h=9", 9, FAIL_NONE },
		{ "page=2,w=9", 1600, FAIL_FORBIDDEN },
		{ "page=1,w=9", 1600, FAIL_NONE },
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

/* No free URL gets around what an asset imposes. */
static void
test_keeps_the_bare_original_of_an_asset_that_imposes_a_mark(void **state)
{
	struct permit nobody = { 0 }, exact = { .is_signed = true, .covers_exact_url = true };
	struct permit original = { .is_signed = true, .may_read_original = true };
	struct permit all_but_original = { .is_signed = true, .operations = UINT64_MAX };
	struct policy_config always = config_of(UNSIGNED_ANY);
	const char *detail;

	(void)state;
	always.credit_is_imposed = true;
	for (int i = 0; i < 3; i++) {
		struct asset asset = asset_of(VISIBILITY_PUBLIC);

		if (i == 0)
			snprintf(asset.watermark, sizeof(asset.watermark), "logo");
		else
			snprintf(asset.credit, sizeof(asset.credit), "A. Body");
		asset.credit_is_imposed = i == 1;
		assert_int_equal(ask_of(i == 2 ? always : config_of(UNSIGNED_ANY), &asset, &nobody, "original",
		    MEDIA_NONE, &detail), FAIL_FORBIDDEN);
		assert_non_null(strstr(detail, "original of an asset with a watermark or credit imposed"));
		assert_int_equal(ask(UNSIGNED_ANY, &asset, &nobody, "w=7,q=3", MEDIA_JPEG, &detail), FAIL_NONE);
		assert_int_equal(ask(UNSIGNED_ANY, &asset, &exact, "original", MEDIA_NONE, &detail), FAIL_NONE);
		assert_int_equal(ask(UNSIGNED_ANY, &asset, &original, "original", MEDIA_NONE, &detail), FAIL_NONE);
		assert_int_equal(ask(UNSIGNED_ANY, &asset, &all_but_original, "original", MEDIA_NONE, &detail),
		    FAIL_FORBIDDEN);
	}
	/* A credit that is only there, and one that would be imposed if it were. */
	struct asset asset = asset_of(VISIBILITY_PUBLIC);

	assert_int_equal(ask_of(always, &asset, &nobody, "original", MEDIA_NONE, &detail), FAIL_NONE);
	snprintf(asset.credit, sizeof(asset.credit), "A. Body");
	assert_int_equal(ask(UNSIGNED_ANY, &asset, &nobody, "original", MEDIA_NONE, &detail), FAIL_NONE);
}

static void
test_keeps_a_picture_under_the_mark_that_is_imposed(void **state)
{
	static const struct {
		const char *recipe, *reason;	/* NULL: permitted */
	} cases[] = {
		{ "w=100,round=5", "round " }, { "round=max", "round " }, { "@round", NULL }, { "@round,w=100", NULL },
		{ "rot=45", "rot by a free angle " }, { "rot=90", NULL }, { "rot=0", NULL }, { "flip=h,border=9", NULL },
		{ "w=4000,h=9,fit=pad", "fit=pad " }, { "@pad", NULL }, { "@pad,dpr=2", NULL },
		{ "@pad,w=4000", "fit=pad " }, { "@pad,h=4000", "fit=pad " }, { "@pad,fit=cover", NULL },
		{ "w=199,h=4000,fit=fill", "fit=fill " }, { "ar=1:99,fit=fill", "fit=fill " }, { "fit=fill", "fit=fill " },
		{ "@card,fit=fill", "fit=fill " }, { "@fill", NULL }, { "@fill,dpr=3", NULL }, { "@fill,w=9", "fit=fill " },
	};
	struct permit nobody = { 0 }, exact = { .is_signed = true, .covers_exact_url = true };
	struct asset asset = asset_of(VISIBILITY_PUBLIC), marked = asset;
	const char *detail;

	(void)state;
	snprintf(marked.watermark, sizeof(marked.watermark), "logo");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum failure_kind got = ask(UNSIGNED_ANY, &marked, &nobody, cases[i].recipe, MEDIA_PNG, &detail);

		if (got != (cases[i].reason != NULL ? FAIL_FORBIDDEN : FAIL_NONE) ||
		    (cases[i].reason != NULL && strncmp(detail, cases[i].reason, strlen(cases[i].reason)) != 0))
			fail_msg("%s: %s", cases[i].recipe, detail);
		assert_int_equal(ask(UNSIGNED_ANY, &asset, &nobody, cases[i].recipe, MEDIA_PNG, &detail), FAIL_NONE);
		assert_int_equal(ask(UNSIGNED_ANY, &marked, &exact, cases[i].recipe, MEDIA_PNG, &detail), FAIL_NONE);
	}
}

static void
test_writes_texts_only_for_who_signed_them(void **state)
{
	struct asset asset = asset_of(VISIBILITY_PUBLIC);
	struct permit exact = { .is_signed = true, .covers_exact_url = true };
	struct permit with = { .is_signed = true, .operations = operation_bit("w") | operation_bit("text") };
	struct permit without = { .is_signed = true, .operations = operation_bit("w") };
	const char *detail;

	(void)state;
	assert_int_equal(ask(UNSIGNED_ANY, &asset, &exact, "w=9,text=Sale", MEDIA_JPEG, &detail), FAIL_NONE);
	assert_int_equal(ask(UNSIGNED_ANY, &asset, &with, "w=9,text=Sale", MEDIA_JPEG, &detail), FAIL_NONE);
	assert_int_equal(ask(UNSIGNED_ANY, &asset, &without, "w=9,text=Sale", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
	assert_string_equal(detail, "text is not among the token's ops");
}

/* The default preset is nobody's wish: neither a way onto the ladder nor off it. */
static void
test_does_not_see_the_default_preset(void **state)
{
	struct asset asset = asset_of(VISIBILITY_PUBLIC);
	struct permit nobody = { 0 }, only_h = { .is_signed = true, .operations = operation_bit("h") };
	struct failure why = { 0 };
	const char *detail;

	(void)state;
	assert_true(preset_add(&presets, "site", "w=320,q=80,dpr=1.5", &why));
	assert_true(preset_set_default(&presets, "site", &why));
	assert_int_equal(ask(UNSIGNED_LADDER, &asset, &nobody, "w=640", MEDIA_JPEG, &detail), FAIL_NONE);
	assert_int_equal(ask(UNSIGNED_LADDER, &asset, &nobody, "@card", MEDIA_JPEG, &detail), FAIL_NONE);
	assert_int_equal(ask(UNSIGNED_LADDER, &asset, &nobody, "-", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
	assert_int_equal(ask(UNSIGNED_LADDER, &asset, &nobody, "dpr=2", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
	assert_int_equal(ask(UNSIGNED_PRESETS, &asset, &nobody, "-", MEDIA_JPEG, &detail), FAIL_FORBIDDEN);
	assert_int_equal(ask(UNSIGNED_NONE, &asset, &only_h, "h=9", MEDIA_JPEG, &detail), FAIL_NONE);
	presets.default_name = NULL;
	presets.count--;
}

static void
test_tells_what_is_known_where_it_would_serve_a_picture(void **state)
{
	struct permit nobody = { 0 }, exact = { .is_signed = true, .covers_exact_url = true };
	struct permit ops = { .is_signed = true, .operations = operation_bit("w") };

	(void)state;
	for (enum policy_unsigned setting = 0; setting < UNSIGNED_COUNT; setting++) {
		for (enum asset_visibility visibility = 0; visibility < VISIBILITY_COUNT; visibility++) {
			const struct permit *permits[] = { &nobody, &exact, &ops };
			struct policy_config config = config_of(setting);
			struct asset asset = asset_of(visibility);

			for (int i = 0; i < 3; i++) {
				bool is_free = visibility == VISIBILITY_PUBLIC && setting != UNSIGNED_NONE;
				enum failure_kind want = visibility == VISIBILITY_GONE ? FAIL_GONE :
				    is_free || i > 0 ? FAIL_NONE : FAIL_FORBIDDEN;
				struct failure why = { 0 };

				if (policy_allows_info(&config, &asset, permits[i], NOW, &why))
					assert_int_equal(want, FAIL_NONE);
				assert_int_equal(why.kind, want);
			}
		}
	}
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
		cmocka_unit_test(test_keeps_the_bare_original_of_an_asset_that_imposes_a_mark),
		cmocka_unit_test(test_keeps_a_picture_under_the_mark_that_is_imposed),
		cmocka_unit_test(test_writes_texts_only_for_who_signed_them),
		cmocka_unit_test(test_does_not_see_the_default_preset),
		cmocka_unit_test(test_tells_what_is_known_where_it_would_serve_a_picture),
	};

	return cmocka_run_group_tests(tests, add_presets, NULL);
}
