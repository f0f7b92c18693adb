/*
 * test_operation - the table: every row at the ends of its range and just outside
 * of them, and some thousand recipes made from all rows at random.
 */
#include "recipe/argument.h"
#include "recipe/operation.h"
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X8 "xxxxxxxx"
#define X32 X8 X8 X8 X8
#define X100 X32 X32 X32 "xxxx"

/* Arguments as a URL has them, with spaces between. */
static const struct row {
	const char *name, *accepted, *refused;
} rows[] = {
	{ "page", "1 10000", "0 10001 -1 1.0 all" },
	{ "anim", "on off", "1 On" },
	{ "orient", "auto off", "on 6" },
	{ "trim", "1 254 10:fff 10:11223344 1:transparent", "0 255 10: :fff 10:ffff0 10:fff:1 1.5" },
	{ "crop", "0:0:1:1 10000000:10000000:10000000:10000000 0.0:0.0:1.0:1.0 0.999999:0.0:0.000001:1.0",
	  "1:2:3 1:2:3:4:5 1:2:0:4 1:2:3:0 0.0:0.0:0.0:1.0 0:0:0.5:0.5 0.0:0.0:1:1.0 0.0:0.0:1.000001:1.0 -1:0:5:5 "
	  "0:0:10000001:5 0.0000001:0.0:1.0:1.0" },
	{ "rot", "-360 360 0 -0.01 359.99 45.5 90 -359.99", "361 -361 360.01 -360.01 0.001 90deg" },
	{ "flip", "h v hv", "vh none H 1" },
	{ "zoom", "1 100 1.001 99.999", "0.999 100.001 1.0001 0" },
	{ "w", "1 8192 0.000001 1.0 0.5", "0 8193 0.0 1.1 1.000001 0.0000001 -1 -0.5 400px" },
	{ "h", "1 8192 0.000001 1.0 0.5", "0 8193 0.0 1.1 1.000001 0.0000001 -1 -0.5 400px" },
	{ "ar", "16:9 0.001:10000 10000:0.001 1.91:1 9999.999:10000",
	  "16 16: :9 0:1 1:0 10000.001:1 1.0001:1 16:9:4 -1:1 1/1" },
	{ "mw", "1 8192", "0 8193 0.5" },
	{ "mh", "1 8192", "0 8193 0.5" },
	{ "dpr", "0.5 8 1 1.125", "0.499 8.001 1.0001 2x" },
	{ "enlarge", "0 1", "2 true 01" },
	{ "fit", "contain cover fill pad outside", "Cover crop" },
	{ "g", "n ne e se s sw w nw c focus smart entropy 0:0 1:1 0.123456:1.0 n:-8192:8192 c:0:0 se:-1.0:1.0 "
	  "w:0.5:0.25",
	  "north 0.5 0.5: 0.5:1.1 0.5:-0.1 0.1234567:0 n: n:1 n:1:2:3 n:8193:0 n:0:-8193 n:1.1:0.0 n:0.0:-1.000001 "
	  "n:1:0.5 n:0.5:1 smart:1:2 focus:1:1 0.5:0.5:1 n:0.1234567:0.0" },
	{ "bri", "-100 100 0", "-101 101 1.5 +5" },
	{ "con", "-100 100 0", "-101 101 1.5" },
	{ "sat", "-100 100 0", "-101 101 1.5" },
	{ "hue", "0 359", "360 -1 1.5" },
	{ "gamma", "0.1 10 1 2.22", "0.09 10.01 1.001 0" },
	{ "invert", "0 1", "2 on" },
	{ "gray", "0 1", "2 yes" },
	{ "sepia", "1 100", "0 101 1.5" },
	{ "duotone", "000:fff 102030:405060ff",
	  "000 000: :fff 000:fff:000 black:white 102030:40506070 000:fff8 transparent:fff" },
	{ "tint", "f00 f00:1 f00:100 112233:50",
	  "f00:0 f00:101 f00: :50 red f00:50:1 f00:1.5 11223344:50 f008 transparent" },
	{ "blur", "0.3 100 0.31", "0.29 100.01 0 0.301" },
	{ "pixelate", "2 256", "1 257 2.5" },
	{ "sharpen", "0.3 10 9.99", "0.29 10.01 0 0.301" },
	{ "usm", "0.05 5 1:0.3 1:20 1:1:0 1:1:255 4.99:19.99:254",
	  "0.04 5.01 1:0.29 1:20.01 1:1:256 1:1:-1 1: 1:1: 1:1:1:1 0.051 1:1.001 1::1 0" },
	{ "bg", "fff FfF8 aabbcc AABBCC00 transparent", "ff fffff fffffff fffffffff ggg #fff white" },
	{ "watermark", "a logo_2-b " X32, "A a.b a%20b caf%C3%A9 " X32 "x" },
	{ "credit", "0 1", "2 on" },
	{ "text", "a %C3%A9 a%2Cb=c %2F%5C%22%27 " X100 X100, "%00 a%0Ab %7F %FF %C3 %ED%A0%80 " X100 X100 "x" },
	{ "textg", "n ne e se s sw w nw c", "smart focus 0.5:0.5 S" },
	{ "textsize", "0.005 0.5 0.0051", "0.0049 0.5001 0 0.00501" },
	{ "textcolor", "fff 00000080 transparent", "white ff" },
	{ "border", "1 512 1:fff 512:11223344", "0 513 1: :fff 1:fff:1 1.5" },
	{ "round", "1 4096 max", "0 4097 min 0.5" },
	{ "q", "1 100 auto low", "0 101 high 80.5 -1" },
	{ "max-bytes", "100 67108864", "99 67108865 100k 18446744073709551716" },
	{ "lossless", "0 1", "2 true" },
	{ "progressive", "on off", "1 yes" },
	{ "subsample", "auto 420 444", "422 4:2:0" },
	{ "palette", "2 256", "1 257 on" },
	{ "strip", "copyright all keep", "none 1" },
	{ "icc", "srgb p3 keep", "sRGB adobe" },
	{ "dl", "a .a a. na%C3%AFve%20file%2C1 " X100, ". .. .%2E ... a%2Fb a%5Cb a%0Db %00 %FF " X100 "x" },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

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

static const char *
canonical(const struct recipe *recipe)
{
	struct text out;

	text_init(&out, arena, RECIPE_TEXT_MAX);
	recipe_print(recipe, &out);
	assert_false(out.was_cut);
	for (const char *c = out.at; *c != '\0'; c++)
		assert_true(*c > ' ' && *c <= '~');
	return out.at;
}

/* Equal in every byte: recipe_init() zeroes the padding. */
static void
assert_reads_back(const struct recipe *recipe, const char *text)
{
	struct failure why = { 0 };
	const char *printed = canonical(recipe);
	struct recipe again;

	if (!recipe_parse(span_of(printed), NULL, &again, &why))
		fail_msg("%s printed %s: %s", text, printed, why.detail);
	assert_string_equal(canonical(&again), printed);
	again.asked = recipe->asked;
	again.asked_freely = recipe->asked_freely;
	again.presets = recipe->presets;
	if (memcmp(&again, recipe, sizeof(again)) != 0)
		fail_msg("%s is not what its canonical text %s says", text, printed);
}

static void
test_has_a_row_for_every_operation(void **state)
{
	(void)state;
	assert_int_equal(operation_count, ROW_COUNT);
	for (unsigned i = 0; i < operation_count; i++)
		assert_string_equal(operations[i].name, rows[i].name);
}

static void
test_accepts_what_is_in_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct span rest = span_of(rows[i].accepted);

		while (rest.at != NULL) {
			struct span argument = span_cut(&rest, ' ');
			const char *text = arena_printf(arena, "%s=%.*s", rows[i].name, SPAN_ARGS(argument));
			struct failure why = { 0 };
			struct recipe recipe;

			if (!recipe_parse(span_of(text), NULL, &recipe, &why))
				fail_msg("%s: %s", text, why.detail);
			assert_true(recipe.asked == operation_bit(rows[i].name));
			assert_reads_back(&recipe, text);
		}
	}
}

static void
assert_refused(const char *text, const char *want)
{
	struct failure why = { 0 };
	struct recipe recipe;

	if (recipe_parse(span_of(text), NULL, &recipe, &why))
		fail_msg("took %s", text);
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	if (strncmp(why.detail, want, strlen(want)) != 0)
		fail_msg("%s said: %s", text, why.detail);
}

static void
test_refuses_what_is_out_of_range_and_names_the_range(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		const char *name = operations[i].name;
		const char *want = arena_printf(arena, "%s must be %s, not '", name, operations[i].argument);
		struct span rest = span_of(rows[i].refused);

		while (rest.at != NULL) {
			struct span argument = span_cut(&rest, ' ');

			assert_refused(arena_printf(arena, "%s=%.*s", name, SPAN_ARGS(argument)), want);
		}
		assert_refused(arena_printf(arena, "%s=", name), want);
		assert_refused(arena_printf(arena, "%s=%%00", name), want);
	}
}

static void
test_refuses_what_is_malformed_for_any_operation(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		const char *name = operations[i].name;
		const char *good = arena_printf(arena, "%s=%.*s", name,
		    (int)strcspn(rows[i].accepted, " "), rows[i].accepted);
		const char *malformed = arena_printf(arena, "malformed percent sequence in '%s=", name);

		assert_refused(arena_printf(arena, "%s,%s", good, good),
		    arena_printf(arena, "%s is given twice", name));
		assert_refused(name, arena_printf(arena, "%s has no value, expected %s", name, operations[i].argument));
		assert_refused(arena_printf(arena, "%sx=1", name), "unknown operation");
		assert_refused(arena_printf(arena, "%s%%", good), malformed);
		assert_refused(arena_printf(arena, "%s%%4", good), malformed);
		assert_refused(arena_printf(arena, "%s%%4x", good), malformed);
	}
}

/* The detail has room for every grammar and for the longest quotation. */
static void
test_never_cuts_a_message(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++)
		assert_true(strlen(operations[i].name) + strlen(" must be ") + strlen(operations[i].argument) +
		    strlen(", not ''") + 40 < FAILURE_DETAIL_MAX);
}

/* ---- the words of the table ------------------------------------------------------------ */

static void
test_describes_every_operation(void **state)
{
	struct text table;

	(void)state;
	text_init(&table, arena, 64 * 1024);
	operation_print_table(&table);
	assert_false(table.was_cut);
	for (unsigned i = 0; i < operation_count; i++) {
		const struct operation *operation = &operations[i];

		assert_int_equal(operation_find(span_of(operation->name)), i);
		assert_true(operation_bit(operation->name) == UINT64_C(1) << i);
		assert_non_null(operation->parse);
		assert_non_null(operation->print);
		assert_non_null(strstr(table.at, operation->help));
		assert_int_equal(operation->help[strlen(operation->help) - 1], '.');
		/* A bar would end the cell. */
		assert_null(strchr(operation->argument, '|'));
		assert_null(strchr(operation->fallback, '|'));
		assert_null(strchr(operation->help, '|'));
	}
	assert_int_equal(operation_find(span_of("")), -1);
	assert_int_equal(operation_find(span_of("original")), -1);
}

static void
test_names_every_word_in_the_grammar(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		for (unsigned word = 0; word < operations[i].word_count; word++) {
			char quoted[64], sentence[256];

			if (operations[i].words[word] == NULL)
				continue;
			snprintf(quoted, sizeof(quoted), " %s,", operations[i].words[word]);
			snprintf(sentence, sizeof(sentence), " %s,", operations[i].argument);
			for (char *or = strstr(sentence, " or "); or != NULL; or = strstr(sentence, " or "))
				memcpy(or, ",   ", 4);
			if (strstr(sentence, quoted) == NULL && strstr(sentence, quoted + 1) == NULL)
				fail_msg("%s does not name %s", operations[i].name, operations[i].words[word]);
		}
	}
}

static void
test_says_the_range_it_checks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		double min, max;
		char *end;

		if (operations[i].max == 0)
			continue;
		min = strtod(operations[i].argument, &end);
		/* strtod() takes the first point of "1..8192" as the number's own. */
		end = strstr(operations[i].argument, "..");
		assert_non_null(end);
		max = strtod(end + 2, NULL);
		assert_true(min == operations[i].min && max == operations[i].max);
	}
}

/* ---- the longest ------------------------------------------------------------------------- */

/* Otherwise the renderer could not read what the responder printed. */
static void
test_fits_the_longest_canonical_text(void **state)
{
	const size_t longest = 1528;	/* recipe.h says it too */
	static const char head[] = "page=10000,anim=off,orient=off,trim=254:12345678,"
	    "crop=10000000:10000000:10000000:10000000,rot=359.99,flip=hv,zoom=99.999,w=0.123456,ar=9999.999:9999.998,"
	    "mw=8192,mh=8192,dpr=7.999,enlarge=1,fit=outside,g=se:-0.123456:-0.123456,bri=-100,con=-100,sat=-100,"
	    "hue=359,gamma=9.99,invert=1,gray=1,sepia=100,duotone=123456:123456,tint=123456:100,blur=99.99,"
	    "pixelate=256,sharpen=9.99,usm=4.99:19.99:255,bg=12345678,watermark=" X32 ",credit=1,textg=nw,textsize=0.4999,"
	    "textcolor=12345678,border=512:12345678,round=4096,q=auto,max-bytes=67108864,progressive=off,"
	    "subsample=420,palette=256,strip=keep,icc=keep";
	/* What contradicts one of these, or is shorter. */
	const uint64_t left_out = operation_bit("h") | operation_bit("lossless");
	struct failure why = { 0 };
	struct recipe recipe;
	struct text text;

	(void)state;
	text_init(&text, arena, RECIPE_TEXT_MAX);
	text_add(&text, head);
	text_add(&text, ",text=");
	for (int i = 0; i < RECIPE_CAPTION_MAX; i++)
		text_add(&text, "%2F");
	text_add(&text, ",dl=");
	for (int i = 0; i < RECIPE_DOWNLOAD_MAX; i++)
		text_add(&text, "%2C");
	assert_false(text.was_cut);
	if (!recipe_parse(text_span(&text), NULL, &recipe, &why))
		fail_msg("%s", why.detail);
	assert_true((recipe.asked | left_out) == (UINT64_C(1) << operation_count) - 1);
	assert_int_equal(strlen(canonical(&recipe)), text.length);
	assert_int_equal(text.length, longest);
	assert_true(longest <= RECIPE_TEXT_MAX);
}

/* ---- at random ------------------------------------------------------------------------------ */

/* A fixed sequence, so that a failure comes again: xorshift64 (Marsaglia 2003). */
static uint64_t
below(uint64_t limit)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % limit;
}

static int64_t
between(int64_t min, int64_t max)
{
	return min + (int64_t)below((uint64_t)(max - min) + 1);
}

static void
add_decimal(double min, double max, unsigned decimals, struct text *out)
{
	static const int64_t units[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
	int64_t unit = units[decimals];
	int64_t value = between(llround(min * (double)unit), llround(max * (double)unit));

	text_printf(out, "%s%lld", value < 0 ? "-" : "", (long long)(llabs(value) / unit));
	if (decimals > 0)
		text_printf(out, ".%0*lld", (int)decimals, (long long)(llabs(value) % unit));
}

static void
add_hex(unsigned length, struct text *out)
{
	for (unsigned i = 0; i < length; i++)
		text_add_char(out, "0123456789abcdefABCDEF"[below(22)]);
}

static void
add_opaque_colour(struct text *out)
{
	add_hex(below(2) == 0 ? 3 : 6, out);
}

static void
add_colour(struct text *out)
{
	static const unsigned lengths[] = { 3, 4, 6, 8 };

	if (below(8) == 0)
		text_add(out, "transparent");
	else
		add_hex(lengths[below(4)], out);
}

static void
add_text(size_t max_bytes, struct text *out)
{
	static const char *const letters[] = {
		"a", "Z", "7", "-", "%20", "%2C", "%3D", "%25", "%C3%A9", "%F0%9F%90%98",
	};
	size_t bytes = below(max_bytes);

	/* The longest of these letters has four bytes. */
	text_add_char(out, 'x');
	for (size_t i = 0; i + 4 < bytes; i += 4)
		text_add(out, letters[below(10)]);
}

static void
add_place(const char *name, struct text *out)
{
	static const char *const sides[] = { "n", "ne", "e", "se", "s", "sw", "w", "nw", "c" };
	bool is_fraction = below(2) == 0;
	int64_t max = is_fraction ? 1 : RECIPE_SIDE_MAX;

	if (strcmp(name, "ar") == 0) {
		add_decimal(0.001, 10000, 3, out);
		text_add_char(out, ':');
		add_decimal(0.001, 10000, (unsigned)below(2) * 2 + 1, out);
	} else if (strcmp(name, "trim") == 0) {
		text_printf(out, "%u", (unsigned)between(1, 254));
	} else if (strcmp(name, "crop") == 0) {
		for (int i = 0; i < 4; i++) {
			text_add(out, i > 0 ? ":" : "");
			add_decimal(i < 2 ? 0 : is_fraction ? 0.000001 : 1, is_fraction ? 1 : 9999,
			    is_fraction ? 6 : 0, out);
		}
	} else {	/* g with offsets */
		text_add(out, sides[below(9)]);
		for (int i = 0; i < 2; i++) {
			text_add_char(out, ':');
			add_decimal((double)-max, (double)max, is_fraction ? 6 : 0, out);
		}
	}
}

static void
add_look(const char *name, struct text *out)
{
	if (strcmp(name, "duotone") == 0) {
		add_opaque_colour(out);
		text_add_char(out, ':');
		add_opaque_colour(out);
	} else if (strcmp(name, "tint") == 0) {
		add_opaque_colour(out);
		text_printf(out, ":%u", (unsigned)between(1, 100));
	} else if (strcmp(name, "usm") == 0) {
		add_decimal(0.05, 5, 2, out);
		text_add_char(out, ':');
		add_decimal(0.3, 20, 2, out);
		text_printf(out, ":%u", (unsigned)between(0, 255));
	} else if (strcmp(name, "border") == 0) {
		text_printf(out, "%u:", (unsigned)between(1, 512));
		add_colour(out);
	} else if (strcmp(name, "round") == 0) {
		text_printf(out, "%u", (unsigned)between(1, 4096));
	} else {
		text_printf(out, "%u", (unsigned)between(1, 100));	/* q */
	}
}

/* One of the row's examples, or for the kinds with a range anything within it. */
static void
add_argument(unsigned index, struct text *out)
{
	const struct operation *operation = &operations[index];

	if (below(4) == 0) {
		struct span rest = span_of(rows[index].accepted), chosen = span_cut(&rest, ' ');

		while (rest.at != NULL && below(3) != 0)
			chosen = span_cut(&rest, ' ');
		text_add_bytes(out, chosen.at, chosen.length);
	} else if (operation->words != NULL && operation->parse != argument_parse_gravity) {
		const char *word = operation->words[below(operation->word_count)];

		text_add(out, word != NULL ? word : operation->words[operation->word_count - 1]);
	} else if (operation->parse == argument_parse_switch) {
		text_add_char(out, "01"[below(2)]);
	} else if (operation->parse == argument_parse_colour) {
		add_colour(out);
	} else if (operation->parse == argument_parse_side && below(2) == 0) {
		add_decimal(0.000001, 1, 6, out);
	} else if (operation->parse == argument_parse_rotation) {
		add_decimal(-360, 360, 2, out);
	} else if (operation->parse == argument_parse_caption) {
		add_text(RECIPE_CAPTION_MAX, out);
	} else if (operation->parse == argument_parse_download || operation->parse == argument_parse_watermark) {
		text_printf(out, "x%u", (unsigned)below(1000000));
	} else if (operation->max != 0) {
		add_decimal(operation->min, operation->max, operation->decimals, out);
	} else if (operation->parse == argument_parse_ratio || operation->parse == argument_parse_trim ||
	    operation->parse == argument_parse_crop || operation->parse == argument_parse_gravity) {
		add_place(operation->name, out);
	} else {
		add_look(operation->name, out);
	}
}

/* In any order; never two that contradict each other. */
static const char *
random_recipe(unsigned pairs)
{
	uint64_t chosen = 0;
	struct text out;

	text_init(&out, arena, 8192);
	for (unsigned i = 0; i < pairs; i++) {
		unsigned index = (unsigned)below(operation_count);

		if ((chosen & UINT64_C(1) << index) != 0)
			continue;
		chosen |= UINT64_C(1) << index;
		if ((chosen & operation_bit("lossless")) != 0)
			chosen |= operation_bit("q") | operation_bit("max-bytes");
		if ((chosen & (operation_bit("q") | operation_bit("max-bytes"))) != 0)
			chosen |= operation_bit("lossless");
		if ((chosen & operation_bit("ar")) != 0)
			chosen |= operation_bit("h");
		if ((chosen & operation_bit("h")) != 0)
			chosen |= operation_bit("ar");
		text_printf(&out, "%s%s=", out.length > 0 ? "," : "", operations[index].name);
		add_argument(index, &out);
	}
	return out.at;
}

static void
test_reads_back_thousands_of_random_recipes(void **state)
{
	uint64_t seen = 0;

	(void)state;
	for (int i = 0; i < 6000; i++) {
		const char *text = random_recipe(1 + (unsigned)below(16));
		struct failure why = { 0 };
		struct recipe recipe;

		if (!recipe_parse(span_of(text), NULL, &recipe, &why))
			fail_msg("%s: %s", text, why.detail);
		assert_reads_back(&recipe, text);
		seen |= recipe.asked;
		if (i % 100 == 0)
			arena_reset(arena);
	}
	assert_true(seen == (UINT64_C(1) << operation_count) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_a_row_for_every_operation),
		cmocka_unit_test(test_accepts_what_is_in_range),
		cmocka_unit_test(test_refuses_what_is_out_of_range_and_names_the_range),
		cmocka_unit_test(test_refuses_what_is_malformed_for_any_operation),
		cmocka_unit_test(test_never_cuts_a_message),
		cmocka_unit_test(test_describes_every_operation),
		cmocka_unit_test(test_names_every_word_in_the_grammar),
		cmocka_unit_test(test_says_the_range_it_checks),
		cmocka_unit_test(test_fits_the_longest_canonical_text),
		cmocka_unit_test(test_reads_back_thousands_of_random_recipes),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
