/* test_overlay - what is laid over a picture, as text and back. */
#include "recipe/overlay.h"

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

/* Zeroed to the last byte, so that they can be compared as memory. */
static struct overlays *
nothing(void)
{
	struct overlays *overlays = arena_alloc(arena, sizeof(*overlays));

	memset(overlays, 0, sizeof(*overlays));
	return overlays;
}

static void
set_mark(struct mark *mark)
{
	mark->is_set = true;
	mark->position = GRAVITY_SOUTH_EAST;
	mark->margin = 0.02;
	mark->scale = 0.2;
	mark->opacity = 0.5;
	mark->is_tiled = true;
	mark->min_width = 200;
	mark->min_height = 100;
	mark->is_imposed = true;
}

static void
add_caption(struct overlays *overlays, const char *text)
{
	struct caption *caption = &overlays->captions[overlays->caption_count++];

	snprintf(caption->text, sizeof(caption->text), "%s", text);
	snprintf(caption->font, sizeof(caption->font), "DejaVu Sans Bold");
	caption->size = 0.03;
	caption->position = GRAVITY_NORTH_WEST;
	caption->margin = 0.015625;
	caption->colour = (struct recipe_colour){ 255, 128, 1, 254 };
	caption->shadow = (struct recipe_colour){ 0, 16, 160, 0 };
	caption->min_height = 300;
}

static const char *
printed(const struct overlays *overlays)
{
	struct text out;

	text_init(&out, arena, OVERLAYS_PRINTED_MAX);
	overlays_print(overlays, &out);
	assert_false(out.was_cut);
	return out.at;
}

static void
assert_round_trip(const struct overlays *overlays)
{
	struct overlays again;

	memset(&again, 0xAA, sizeof(again));
	assert_true(overlays_parse(span_of(printed(overlays)), &again));
	assert_memory_equal(&again, overlays, sizeof(again));
}

#define MARK_TEXT "mark:se:0.02:0.2:0.5:1:200:100:1"
#define CAPTION_TEXT "text:%C2%A9%20A%3AB%3B%20100%25:DejaVu%20Sans%20Bold:0.03:nw:0.015625:ff8001fe:0010a000:0:300:0"

static void
test_prints_one_word(void **state)
{
	struct overlays *overlays = nothing();

	(void)state;
	assert_string_equal(printed(overlays), "-");
	assert_round_trip(overlays);
	set_mark(&overlays->mark);
	assert_string_equal(printed(overlays), MARK_TEXT);
	assert_round_trip(overlays);
	add_caption(overlays, "\xC2\xA9 A:B; 100%");
	assert_string_equal(printed(overlays), MARK_TEXT ";" CAPTION_TEXT);
	assert_round_trip(overlays);
	overlays->mark = (struct mark){ 0 };
	assert_string_equal(printed(overlays), CAPTION_TEXT);
	assert_round_trip(overlays);
	add_caption(overlays, "second");
	assert_round_trip(overlays);
}

static void
test_keeps_every_position(void **state)
{
	(void)state;
	for (enum recipe_gravity position = GRAVITY_NORTH; position <= GRAVITY_CENTRE; position++) {
		struct overlays *overlays = nothing();

		set_mark(&overlays->mark);
		overlays->mark.position = position;
		assert_round_trip(overlays);
	}
}

/* Every byte of every text needs three, and every number all its digits. */
static void
test_the_longest_value_fits(void **state)
{
	struct overlays *overlays = nothing();
	char text[CAPTION_TEXT_MAX + 1];

	(void)state;
	memset(text, '%', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	set_mark(&overlays->mark);
	overlays->mark.margin = overlays->mark.scale = overlays->mark.opacity = 0.499999;
	overlays->mark.min_width = overlays->mark.min_height = RECIPE_RESULT_SIDE_MAX;
	for (unsigned i = 0; i < CAPTION_COUNT_MAX; i++) {
		struct caption *caption = &overlays->captions[i];

		add_caption(overlays, text);
		memcpy(caption->font, text, CAPTION_FONT_MAX);
		caption->size = 0.499999;
		caption->margin = 0.249999;
		caption->min_width = caption->min_height = RECIPE_RESULT_SIDE_MAX;
	}
	assert_in_range(strlen(printed(overlays)), 2000, OVERLAYS_PRINTED_MAX);
	assert_round_trip(overlays);
}

static void
test_refuses_values_out_of_range(void **state)
{
	static const struct {
		double margin, scale, opacity;
		unsigned min_width;
		bool want;
	} cases[] = {
		{ 0, 0.01, 0.01, 0, true },
		{ 0.5, 1, 1, RECIPE_RESULT_SIDE_MAX, true },
		{ -0.01, 1, 1, 0, false },
		{ 0.500001, 1, 1, 0, false },
		{ 0, 0.009999, 1, 0, false },
		{ 0, 1.000001, 1, 0, false },
		{ 0, 1, 0.009999, 0, false },
		{ 0, 1, 1.000001, 0, false },
		{ 0, 1, 1, RECIPE_RESULT_SIDE_MAX + 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct overlays *overlays = nothing(), again;

		set_mark(&overlays->mark);
		overlays->mark.margin = cases[i].margin;
		overlays->mark.scale = cases[i].scale;
		overlays->mark.opacity = cases[i].opacity;
		overlays->mark.min_width = cases[i].min_width;
		if (overlays_parse(span_of(printed(overlays)), &again) != cases[i].want)
			fail_msg("case %zu: %s", i, printed(overlays));
	}
}

static void
test_refuses_captions_out_of_range(void **state)
{
	static const struct {
		double size, margin;
		bool want;
	} cases[] = {
		{ 0.005, 0, true },
		{ 0.5, 0.25, true },
		{ 0.004999, 0, false },
		{ 0.500001, 0, false },
		{ 0.5, 0.250001, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct overlays *overlays = nothing(), again;

		add_caption(overlays, "text");
		overlays->captions[0].size = cases[i].size;
		overlays->captions[0].margin = cases[i].margin;
		if (overlays_parse(span_of(printed(overlays)), &again) != cases[i].want)
			fail_msg("case %zu: %s", i, printed(overlays));
	}
}

static void
test_reads_only_what_it_prints(void **state)
{
	static const char *const texts[] = {
		"",
		"--",
		" -",
		"mark",
		"mark:",
		"mark:se:0.02:0.2:0.5:1:200:100",
		"mark:se:0.02:0.2:0.5:1:200:100:1:",
		"mark:se:0.02:0.2:0.5:1:200:100:2",
		"mark:se:0.02:0.2:0.5:1:0200:100:1",
		"mark:se:0.020:0.2:0.5:1:200:100:1",
		"mark:se:0.0200001:0.2:0.5:1:200:100:1",
		"mark:se:.02:0.2:0.5:1:200:100:1",
		"mark:se:2e-2:0.2:0.5:1:200:100:1",
		"mark:se:nan:0.2:0.5:1:200:100:1",
		"mark:SE:0.02:0.2:0.5:1:200:100:1",
		"mark:smart:0.02:0.2:0.5:1:200:100:1",
		"mark::0.02:0.2:0.5:1:200:100:1",
		"MARK:se:0.02:0.2:0.5:1:200:100:1",
		MARK_TEXT ";",
		";" MARK_TEXT,
		MARK_TEXT ";-",
		MARK_TEXT ";" MARK_TEXT,
		CAPTION_TEXT ";" MARK_TEXT,
		CAPTION_TEXT ";" CAPTION_TEXT ";" CAPTION_TEXT,
		"text:a:b:0.03:nw:0:ff8001fe:0010a000:0:300",
		"text:a:b:0.03:nw:0:FF8001FE:0010a000:0:300:0",
		"text:a:b:0.03:nw:0:ff8001f:0010a000:0:300:0",
		"text:a:b:0.03:nw:0:ff8001feff:0010a000:0:300:0",
		"text:a b:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:%61:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:%c2%a9:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text::b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:a::0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:a%0Ab:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:a%00:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:a:b%0A:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:%FF:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
		"text:%F:b:0.03:nw:0:ff8001fe:0010a000:0:300:0",
	};
	struct overlays overlays;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (overlays_parse(span_of(texts[i]), &overlays))
			fail_msg("reads '%s'", texts[i]);
	assert_true(overlays_parse(span_of("text:a:b:0.03:nw:0:ff8001fe:0010a000:0:300:0"), &overlays));
}

static void
test_refuses_texts_that_are_too_long(void **state)
{
	char text[CAPTION_TEXT_MAX + 2];
	struct overlays overlays;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t length = CAPTION_TEXT_MAX; length <= CAPTION_TEXT_MAX + 1; length++) {
		struct text out;

		text_init(&out, arena, OVERLAYS_PRINTED_MAX);
		text_printf(&out, "text:%.*s:b:0.03:nw:0:ff8001fe:0010a000:0:300:0", (int)length, text);
		assert_int_equal(overlays_parse(text_span(&out), &overlays), length == CAPTION_TEXT_MAX);
	}
	for (size_t length = CAPTION_FONT_MAX; length <= CAPTION_FONT_MAX + 1; length++) {
		struct text out;

		text_init(&out, arena, OVERLAYS_PRINTED_MAX);
		text_printf(&out, "text:a:%.*s:0.03:nw:0:ff8001fe:0010a000:0:300:0", (int)length, text);
		assert_int_equal(overlays_parse(text_span(&out), &overlays), length == CAPTION_FONT_MAX);
	}
}

static void
test_a_caption_is_one_line_of_utf8(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "", false },
		{ " ", true },
		{ "plain", true },
		{ "\xC2\xA9 \xE6\x97\xA5\xE6\x9C\xAC \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xF0\x9F\x90\x88", true },
		{ "<b>&amp;</b>", true },
		{ "\xC2\xA0", true },		/* U+00A0, the first after C1 */
		{ "\xE2\x80\xA7\xE2\x80\xAA", true },	/* U+2027 and U+202A, around the line ends */
		{ "a\nb", false },
		{ "a\tb", false },
		{ "\x01", false },
		{ "a\x7F", false },
		{ "a\xC2\x80", false },
		{ "a\xC2\x85", false },		/* U+0085, next line */
		{ "a\xC2\x9F", false },
		{ "a\xE2\x80\xA8", false },	/* U+2028, line separator */
		{ "\xE2\x80\xA9z", false },	/* U+2029, paragraph separator */
		{ "\xFF", false },
		{ "\xC3", false },
		{ "\xC0\xAF", false },
		{ "\xED\xA0\x80", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (caption_text_is_valid(span_of(cases[i].text), 100) != cases[i].want)
			fail_msg("case %zu", i);
	assert_false(caption_text_is_valid(span_range("a\0b", 3), 100));
	assert_true(caption_text_is_valid(span_of("1234"), 4));
	assert_false(caption_text_is_valid(span_of("12345"), 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_one_word),
		cmocka_unit_test(test_keeps_every_position),
		cmocka_unit_test(test_the_longest_value_fits),
		cmocka_unit_test(test_refuses_values_out_of_range),
		cmocka_unit_test(test_refuses_captions_out_of_range),
		cmocka_unit_test(test_reads_only_what_it_prints),
		cmocka_unit_test(test_refuses_texts_that_are_too_long),
		cmocka_unit_test(test_a_caption_is_one_line_of_utf8),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
