/* test_recipe - URL text to recipe to canonical text, and what follows from a recipe. */
#include "recipe/operation.h"
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct preset_set presets;

static int
open_fixture(void **state)
{
	struct failure why = { 0 };

	(void)state;
	arena = arena_new();
	return preset_add(&presets, "card", "w=300,h=200,fit=cover", &why) &&
	    preset_add(&presets, "big", "enlarge=1,w=900,g=0.2:0.8,bg=fff", &why) &&
	    preset_add(&presets, "lossless", "lossless=1", &why) &&
	    preset_add(&presets, "lossy", "q=low,max-bytes=900", &why) &&
	    preset_add(&presets, "shape", "ar=3:2", &why) &&
	    preset_add(&presets, "everything",
	    "g=n:1.0:0.5,border=3:fff,round=9,w=0.5,q=80,trim=9:f00,watermark=long", &why) ? 0 : -1;
}

static int
close_fixture(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct recipe
parse(const char *text)
{
	struct failure why = { 0 };
	struct recipe recipe;

	if (!recipe_parse(span_of(text), &presets, &recipe, &why))
		fail_msg("%s: %s", text, why.detail);
	return recipe;
}

static const char *
canonical(const struct recipe *recipe)
{
	struct text out;

	text_init(&out, arena, RECIPE_TEXT_MAX);
	recipe_print(recipe, &out);
	assert_false(out.was_cut);
	return out.at;
}

static void
test_prints_one_text_for_every_spelling(void **state)
{
	static const struct {
		const char *input, *want;
	} cases[] = {
		{ "-", "-" },
		{ "original", "original" },
		{ "w=400", "w=400" },
		{ "w=0400", "w=400" },
		{ "h=300,w=400", "w=400,h=300" },
		{ "enlarge=1,q=80,bg=abc,g=n,fit=cover,dpr=2,h=3,w=4",
		  "w=4,h=3,dpr=2,enlarge=1,fit=cover,g=n,bg=aabbcc,q=80" },
		{ "w=1,h=8192", "w=1,h=8192" },
		/* defaults are left out */
		{ "dpr=1", "-" },
		{ "dpr=1.000", "-" },
		{ "fit=contain,enlarge=0,g=focus", "-" },
		{ "dpr=1.50", "dpr=1.5" },
		{ "dpr=0.5", "dpr=0.5" },
		{ "dpr=8", "dpr=8" },
		{ "dpr=1.125", "dpr=1.125" },
		{ "fit=outside", "fit=outside" },
		{ "g=nw", "g=nw" },
		{ "g=0.50:1.0", "g=0.5:1" },
		{ "g=0:0", "g=0:0" },
		{ "g=0.123456:0.000001", "g=0.123456:0.000001" },
		{ "crop=0:00:10:20", "crop=0:0:10:20" },
		{ "crop=0.0:0.10:1.000:0.5", "crop=0.0:0.1:1.0:0.5" },
		{ "crop=0.0:0.0:0.000001:1.0", "crop=0.0:0.0:0.000001:1.0" },
		{ "bg=FfF", "bg=ffffff" },
		{ "bg=FfF8", "bg=ffffff88" },
		{ "bg=AABBCC", "bg=aabbcc" },
		{ "bg=AABBCCff", "bg=aabbcc" },
		{ "bg=AABBCC00", "bg=aabbcc00" },
		{ "bg=transparent", "bg=00000000" },
		{ "q=1", "q=1" },
		{ "q=100", "q=100" },
		{ "q=low", "q=low" },
		{ "w=1.000000,h=0.5000", "w=1.0,h=0.5" },
		{ "ar=1.6:0.9", "ar=16:9" },
		{ "ar=1920:1080", "ar=16:9" },
		{ "ar=1.91:1", "ar=191:100" },
		{ "ar=10000:9999.999", "ar=10000:9999.999" },	/* 10000000:9999999 is over the grammar's range */
		{ "ar=0.002:10000", "ar=0.001:5000" },
		{ "rot=0", "-" },
		{ "rot=360", "-" },
		{ "rot=-360", "-" },
		{ "rot=-90", "rot=270" },
		{ "rot=-0.01", "rot=359.99" },
		{ "rot=90.00", "rot=90" },
		{ "flip=hv", "flip=hv" },
		{ "anim=on,orient=auto,progressive=on,subsample=auto,strip=copyright,icc=srgb,textg=s", "-" },
		{ "bri=0,con=-0,sat=000,hue=0,gamma=1.0,gray=0,zoom=1,credit=0,lossless=0", "-" },
		{ "bri=-07", "bri=-7" },
		{ "page=1", "page=1" },		/* the first alone, not all */
		{ "trim=010:FFF", "trim=10:ffffff" },
		{ "g=n:0:0", "g=n" },
		{ "g=n:0.0:-0.0", "g=n" },
		{ "g=se:010:-5", "g=se:10:-5" },
		{ "g=c:0.50:1.0", "g=c:0.5:1.0" },
		{ "g=entropy", "g=entropy" },
		{ "duotone=000:FFFf", "duotone=000000:ffffff" },
		{ "tint=f00:50", "tint=ff0000" },
		{ "tint=f00:49", "tint=ff0000:49" },
		{ "usm=1:1:0", "usm=1" },
		{ "usm=0.5:2.50", "usm=0.5:2.5" },
		{ "usm=0.5:1:3", "usm=0.5:1:3" },
		{ "border=5:000", "border=5" },
		{ "border=5:00000080", "border=5:00000080" },
		{ "round=max", "round=max" },
		{ "max-bytes=0000100", "max-bytes=100" },
		{ "text=a%2cb%3D%25", "text=a%2Cb%3D%25" },
		{ "text=%c3%a9~x y", "text=%C3%A9~x%20y" },
		{ "text=%41", "text=A" },
		{ "w=%34%30%30", "w=400" },
		{ "g=n%3A1%3a2", "g=n:1:2" },
		/* names too: RFC 3986 section 6.2.2.2 makes these equivalent */
		{ "%77=400,%68=3", "w=400,h=3" },
		{ "max%2Dbytes=500", "max-bytes=500" },
		{ "%40card,dpr=2", "w=300,h=200,dpr=2,fit=cover" },
		{ "%2D", "-" },
		{ "%6Friginal", "original" },
		{ "dl=r%C3%A9sum%C3%A9,w=3", "w=3,dl=r%C3%A9sum%C3%A9" },
		{ "watermark=logo-2", "watermark=logo-2" },
		/* presets */
		{ "@card", "w=300,h=200,fit=cover" },
		{ "@card,dpr=2", "w=300,h=200,dpr=2,fit=cover" },
		{ "@card,w=100,fit=contain", "w=100,h=200" },
		{ "@card,@big", "w=900,h=200,enlarge=1,fit=cover,g=0.2:0.8,bg=ffffff" },
		{ "@big,@card", "w=300,h=200,enlarge=1,fit=cover,g=0.2:0.8,bg=ffffff" },
		{ "@big,enlarge=0,g=s,bg=000", "w=900,g=s,bg=000000" },
		{ "@big,g=focus,enlarge=0", "w=900,bg=ffffff" },
		/* a preset gives way to what cannot be had with it */
		{ "@lossless,q=80", "q=80" },
		{ "@lossless,max-bytes=500", "max-bytes=500" },
		{ "@lossy,lossless=1", "lossless=1" },
		{ "@lossy,lossless=0", "q=low,max-bytes=900" },
		{ "@card,ar=1:1,w=50", "w=50,ar=1:1,fit=cover" },
		{ "@card,ar=1:1,h=0.5", "h=0.5,ar=1:1,fit=cover" },
		{ "@shape,w=30,h=40", "w=30,h=40" },
		{ "@shape,w=30", "w=30,ar=3:2" },
		{ "@everything,g=s,border=1,round=max,w=7,q=auto,trim=2,watermark=x",
		  "trim=2,w=7,g=s,watermark=x,border=1,round=max,q=auto" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].input);
		struct recipe again;

		assert_string_equal(canonical(&recipe), cases[i].want);
		again = parse(cases[i].want);
		again.asked = recipe.asked;
		again.asked_freely = recipe.asked_freely;
		again.presets = recipe.presets;
		/* Both were zeroed by recipe_init(), padding included. */
		assert_memory_equal(&again, &recipe, sizeof(recipe));
	}
}

static void
test_says_what_is_wrong(void **state)
{
	static const struct {
		const char *input, *want;	/* a part of the detail */
	} cases[] = {
		{ "", "empty" },
		{ ",", "comma" },
		{ "w=4,", "comma" },
		{ ",w=4", "comma" },
		{ "w=4,,h=3", "comma" },
		{ "wdith=400", "unknown operation 'wdith'" },
		{ "W=400", "unknown operation 'W'" },
		{ "=400", "unknown operation ''" },
		{ " w=400", "unknown operation ' w'" },
		{ "x'\x1b\xff" "y=1", "unknown operation 'x?" "??y'" },
		{ "w", "w has no value" },
		{ "w=", "w must be 1..8192 pixels" },
		{ "w=0", "up to 1.0, not '0'" },
		{ "w=8193", "w must be" },
		{ "w=-1", "w must be" },
		{ "w=4.5", "w must be" },
		{ "w=400px", "w must be" },
		{ "w=400=3", "w must be" },
		{ "w=99999999999999999999999", "w must be" },
		{ "w=%", "malformed percent sequence in 'w=%'" },
		{ "w=%4", "malformed percent sequence in 'w=%4'" },
		{ "w=%g0", "malformed percent sequence in 'w=%g0'" },
		{ "%7=400", "malformed percent sequence in '%7=400'" },
		{ "@%zz", "malformed percent sequence in '@%zz'" },
		{ "w%3D400", "unknown operation 'w=400'" },
		{ "w=400%2Ch=3", "w must be" },
		{ "w=1,%77=1", "w is given twice" },
		{ "%2Doriginal", "unknown operation '-original'" },
		{ "w=3,%6Friginal", "'original' must stand alone" },
		{ "@card,%40card", "@card is given twice" },
		{ "w=1,w=1", "w is given twice" },
		{ "w=1,h=2,w=3", "w is given twice" },
		{ "original,w=3", "'original' must stand alone" },
		{ "w=3,original", "'original' must stand alone" },
		{ "original,original", "'original' must stand alone" },
		{ "@card,original", "'original' must stand alone" },
		{ "-,w=3", "'-' must stand alone" },
		{ "Original", "unknown operation 'Original'" },
		{ "@nosuch", "unknown preset '@nosuch'" },
		{ "@", "unknown preset '@'" },
		{ "@card=3", "preset '@card' takes no value" },
		{ "w=3,@card", "@card must stand before" },
		{ "@card,w=3,@big", "@big must stand before" },
		{ "@card,@card", "@card is given twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct recipe recipe;

		if (recipe_parse(span_of(cases[i].input), &presets, &recipe, &why))
			fail_msg("took '%s'", cases[i].input);
		assert_int_equal(why.kind, FAIL_BAD_REQUEST);
		if (strstr(why.detail, cases[i].want) == NULL)
			fail_msg("'%s' said: %s", cases[i].input, why.detail);
	}
}

static void
test_knows_no_presets_without_a_set(void **state)
{
	struct failure why = { 0 };
	struct recipe recipe;

	(void)state;
	assert_false(recipe_parse(span_of("@card"), NULL, &recipe, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
}

static void
test_holds_the_text_to_its_limit(void **state)
{
	char text[RECIPE_TEXT_MAX + 1];
	struct failure why = { 0 };
	struct recipe recipe;

	(void)state;
	memset(text, '0', sizeof(text));
	memcpy(text, "w=", 2);
	text[RECIPE_TEXT_MAX - 1] = '7';
	assert_true(recipe_parse(span_range(text, RECIPE_TEXT_MAX), NULL, &recipe, &why));
	assert_int_equal(recipe.width, 7);
	assert_false(recipe_parse(span_range(text, RECIPE_TEXT_MAX + 1), NULL, &recipe, &why));
	assert_non_null(strstr(why.detail, "1600"));
}

static void
test_remembers_what_the_url_itself_asked(void **state)
{
	const uint64_t w = operation_bit("w"), h = operation_bit("h"), fit = operation_bit("fit");
	const uint64_t dpr = operation_bit("dpr");
	struct recipe recipe = parse("w=400,dpr=1");

	(void)state;
	assert_true(recipe.asked == (w | dpr) && recipe.asked_freely == (w | dpr));
	recipe = parse("@card");
	assert_true(recipe.asked == (w | h | fit) && recipe.asked_freely == 0);
	recipe = parse("@card,dpr=2");
	assert_true(recipe.asked == (w | h | fit | dpr) && recipe.asked_freely == dpr);
	recipe = parse("@card,w=300");
	assert_true(recipe.asked == (w | h | fit) && recipe.asked_freely == w);
	recipe = parse("original");
	assert_true(recipe.asked == 0 && recipe.asked_freely == 0 && recipe.is_original);
	recipe = parse("-");
	assert_true(recipe.asked == 0 && recipe.asked_freely == 0 && !recipe.is_original);
}

static void
test_resolves_the_focal_point(void **state)
{
	static const struct {
		const char *recipe;
		bool has_focus;
		double x, y;
		const char *want;
	} cases[] = {
		{ "w=9", true, 0.25, 0.75, "w=9,g=0.25:0.75" },
		{ "w=9", false, 0.25, 0.75, "w=9,g=c" },
		{ "g=n", true, 0.25, 0.75, "g=n" },
		{ "g=0.1:0.2", true, 0.25, 0.75, "g=0.1:0.2" },
		{ "w=9", true, 1.0 / 3, -1, "w=9,g=0.333333:0" },
		{ "w=9", true, 1.5, 1, "w=9,g=1:1" },
		/* pad cuts nothing off, so the focal point has nothing to save */
		{ "w=9,h=9,fit=pad", true, 0.25, 0.75, "w=9,h=9,fit=pad,g=c" },
		{ "fit=pad,g=0.1:0.2", true, 0.25, 0.75, "fit=pad,g=0.1:0.2" },
		{ "original", true, 0.25, 0.75, "original" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].recipe), again;

		recipe_resolve_focus(&recipe, cases[i].has_focus, cases[i].x, cases[i].y);
		assert_string_equal(canonical(&recipe), cases[i].want);
		again = parse(cases[i].want);
		if (!recipe.is_original)
			assert_true(again.gravity_x == recipe.gravity_x && again.gravity_y == recipe.gravity_y);
	}
}

/* ---- what cannot be had together -------------------------------------------------------- */

static void
test_refuses_what_contradicts_itself_and_names_both(void **state)
{
	static const struct {
		const char *input, *want;
	} cases[] = {
		{ "ar=16:9,w=3,h=4", "ar cannot be had with both w and h" },
		{ "ar=16:9,w=0.5,h=4", "ar cannot be had with both w and h" },
		{ "@card,ar=1:1", "ar cannot be had with both w and h" },	/* which of the two is to go? */
		{ "lossless=1,q=80", "lossless cannot be had with q" },
		{ "q=auto,lossless=1", "lossless cannot be had with q" },
		{ "q=low,lossless=1", "lossless cannot be had with q" },
		{ "lossless=1,max-bytes=5000", "lossless cannot be had with max-bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct recipe recipe;

		assert_false(recipe_parse(span_of(cases[i].input), &presets, &recipe, &why));
		assert_int_equal(why.kind, FAIL_BAD_REQUEST);
		assert_string_equal(why.detail, cases[i].want);
	}
	(void)parse("ar=16:9,w=3");
	(void)parse("ar=16:9,h=0.5");
	(void)parse("lossless=0,q=80,max-bytes=5000");
}

static void
test_asks_no_format_for_what_it_has_not(void **state)
{
	static const struct {
		const char *recipe;
		enum media format;
		const char *want;	/* in the detail; NULL: it suits */
	} cases[] = {
		{ "lossless=1", MEDIA_JPEG, "lossless cannot be had in jpg" },
		{ "lossless=1", MEDIA_GIF, "lossless cannot be had in gif" },
		{ "lossless=1", MEDIA_PNG, NULL },
		{ "lossless=1", MEDIA_WEBP, NULL },
		{ "lossless=1", MEDIA_AVIF, NULL },
		{ "lossless=1", MEDIA_JXL, NULL },
		{ "lossless=0", MEDIA_JPEG, NULL },
		{ "max-bytes=5000", MEDIA_GIF, "max-bytes cannot be had in gif" },
		{ "max-bytes=5000", MEDIA_PNG, "max-bytes cannot be had in png without palette" },
		{ "max-bytes=5000,palette=256", MEDIA_PNG, NULL },
		{ "max-bytes=5000,palette=256", MEDIA_GIF, "max-bytes cannot be had in gif" },
		{ "max-bytes=5000", MEDIA_JPEG, NULL },
		{ "max-bytes=5000", MEDIA_WEBP, NULL },
		{ "icc=p3", MEDIA_GIF, "icc=p3 and icc=keep cannot be had in gif" },
		{ "icc=keep", MEDIA_GIF, "icc=p3 and icc=keep cannot be had in gif" },
		{ "icc=srgb", MEDIA_GIF, NULL },
		{ "icc=keep", MEDIA_PNG, NULL },
		{ "w=3,q=80,palette=16,progressive=off,subsample=420", MEDIA_GIF, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].recipe);
		struct failure why = { 0 };
		bool suits = recipe_suits_format(&recipe, cases[i].format, &why);

		if (suits != (cases[i].want == NULL))
			fail_msg("%s in %s: %s", cases[i].recipe, media_extension(cases[i].format), why.detail);
		if (!suits) {
			assert_int_equal(why.kind, FAIL_BAD_REQUEST);
			assert_non_null(strstr(why.detail, cases[i].want));
		}
	}
}

/* ---- what follows from it ------------------------------------------------------------------ */

static void
test_knows_when_the_size_is_in_the_pixels(void **state)
{
	static const struct {
		const char *recipe;
		bool want;
	} cases[] = {
		{ "-", false }, { "w=3", false }, { "page=1", false }, { "page=2", true }, { "trim=10", true },
		{ "crop=0:0:1:1,rot=45,zoom=2,border=3", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].recipe);

		assert_true(recipe_size_needs_pixels(&recipe) == cases[i].want);
	}
}

static void
test_keeps_frames_where_format_and_recipe_do(void **state)
{
	static const struct {
		const char *recipe;
		unsigned frames;
		enum media format;
		bool want;
	} cases[] = {
		{ "-", 2, MEDIA_GIF, true }, { "-", 2, MEDIA_WEBP, true }, { "-", 1, MEDIA_GIF, false },
		{ "-", 0, MEDIA_GIF, false }, { "-", 9, MEDIA_JPEG, false }, { "-", 9, MEDIA_PNG, false },
		{ "-", 9, MEDIA_AVIF, false }, { "anim=off", 9, MEDIA_GIF, false }, { "anim=on", 9, MEDIA_GIF, true },
		{ "page=1", 9, MEDIA_GIF, false }, { "w=3,rot=45", 9, MEDIA_WEBP, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = parse(cases[i].recipe);

		assert_true(recipe_keeps_frames(&recipe, cases[i].frames, cases[i].format) == cases[i].want);
	}
}

/* One value for each operation that is not its default. */
static void
test_tells_what_looks_like_from_what_is_only_another_size(void **state)
{
	static const char *const invisible[] = {
		"w=3", "w=0.5", "h=4", "ar=1:1", "mw=2", "mh=2", "dpr=2", "enlarge=1", "fit=fill", "g=n", "strip=all",
		"dl=x",
	};
	static const char *const visible[] = {
		"page=2", "anim=off", "orient=off", "trim=3", "crop=0:0:1:1", "rot=90", "flip=h", "zoom=2", "bri=1",
		"con=1", "sat=1", "hue=1", "gamma=2", "invert=1", "gray=1", "sepia=9", "duotone=000:fff", "tint=f00",
		"blur=1", "pixelate=4", "sharpen=1", "usm=1", "bg=fff", "watermark=a", "credit=1", "text=a", "textg=n",
		"textsize=0.1", "textcolor=fff", "border=1", "round=4", "q=80", "max-bytes=500", "lossless=1",
		"progressive=off", "subsample=444", "palette=8", "icc=p3",
	};
	size_t invisible_count = sizeof(invisible) / sizeof(invisible[0]);
	size_t visible_count = sizeof(visible) / sizeof(visible[0]);
	struct recipe plain = parse("-"), original = parse("original");
	struct recipe card = parse("@card"), blurred = parse("blur=2");
	uint64_t tried = 0;

	(void)state;
	for (size_t i = 0; i < invisible_count + visible_count; i++) {
		struct recipe recipe = parse(i < invisible_count ? invisible[i] : visible[i - invisible_count]);

		assert_true(recipe_looks_like(&recipe, &plain) == (i < invisible_count));
		assert_true(recipe_looks_like(&plain, &recipe) == (i < invisible_count));
		assert_true(recipe_looks_like(&recipe, &recipe));
		assert_false(recipe_looks_like(&recipe, &blurred));
		tried |= recipe.asked;
	}
	assert_true(tried == (UINT64_C(1) << operation_count) - 1);
	assert_true(recipe_looks_like(&card, &plain));
	assert_false(recipe_looks_like(&original, &plain));
}

static void
test_finds_the_text_in_a_segment(void **state)
{
	static const struct {
		const char *segment, *want;	/* NULL: refused */
	} cases[] = {
		{ "w=400,h=300", "w=400,h=300" },
		{ "text=a%2Cb", "text=a%2Cb" },
		{ "text%3Da%252Cb", "text=a%2Cb" },
		{ "%40card%2Cw%3D5", "@card,w=5" },
		{ "w%3D400,h%3D300", "w=400,h=300" },
		/* only the commas: Go's url.PathEscape */
		{ "w=400%2Ch=300", "w=400,h=300" },
		{ "w=400%2ch=300%2cfit=cover", "w=400,h=300,fit=cover" },
		{ "@card%2C@big%2Cdpr=2", "@card,@big,dpr=2" },
		{ "w=400%2Ctext=5%252C00", "w=400,text=5%2C00" },
		/* commas of texts */
		{ "text=5%2C00%20=%20a", "text=5%2C00%20=%20a" },
		{ "text=a%2Cw", "text=a%2Cw" },
		{ "text=a%2Cw%3D400", "text=a%2Cw%3D400" },
		{ "text=a%2Cwidth=400", "text=a%2Cwidth=400" },
		{ "text=a%2Cw=400,h=3", "text=a%2Cw=400,h=3" },
		{ "text=a%2C", "text=a%2C" },
		{ "text=a%2", "text=a%2" },
		{ "w=400%2Ch=%2F", NULL },
		{ "-", "-" },
		{ "", "" },
		{ "w%3D1%2F", NULL },
		{ "w%3D1%00", NULL },
		{ "w%3D%", NULL },
		{ "%2E%2E", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failure why = { 0 };
		struct span text;
		bool is_found = recipe_decode_segment(span_of(cases[i].segment), arena, &text, &why);

		assert_true(is_found == (cases[i].want != NULL));
		assert_true(is_found ? span_equals(text, cases[i].want) : why.kind == FAIL_BAD_REQUEST);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_one_text_for_every_spelling),
		cmocka_unit_test(test_says_what_is_wrong),
		cmocka_unit_test(test_knows_no_presets_without_a_set),
		cmocka_unit_test(test_holds_the_text_to_its_limit),
		cmocka_unit_test(test_remembers_what_the_url_itself_asked),
		cmocka_unit_test(test_resolves_the_focal_point),
		cmocka_unit_test(test_refuses_what_contradicts_itself_and_names_both),
		cmocka_unit_test(test_asks_no_format_for_what_it_has_not),
		cmocka_unit_test(test_knows_when_the_size_is_in_the_pixels),
		cmocka_unit_test(test_keeps_frames_where_format_and_recipe_do),
		cmocka_unit_test(test_tells_what_looks_like_from_what_is_only_another_size),
		cmocka_unit_test(test_finds_the_text_in_a_segment),
	};

	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
