/* Rows of the table asset, without a database. */
#include "catalog/asset_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum column {
	ID, ORIGIN, OBJECT_KEY, VERSION, BYTES, ETAG, MEDIA_TYPE, WIDTH, HEIGHT, FRAMES, ORIENTATION, HAS_ALPHA,
	IS_PROGRESSIVE, VISIBILITY, FOCUS_X, FOCUS_Y, WATERMARK, CREDIT, CREDIT_IS_IMPOSED, COLOURS, BLURHASH,
	THUMBHASH, PLACEHOLDER, OWNER, CREATED, UPDATED, EXPIRES, COLUMN_COUNT
};

static struct database_value
integer(int64_t value)
{
	return (struct database_value){ .type = DATABASE_INTEGER, .integer = value };
}

static struct database_value
text(const char *value)
{
	return (struct database_value){ .type = DATABASE_TEXT, .text = span_of(value) };
}

static struct database_value
real(double value)
{
	return (struct database_value){ .type = DATABASE_DOUBLE, .real = value };
}

static struct database_value
null(void)
{
	return (struct database_value){ .type = DATABASE_NULL };
}

static struct database_row
good_row(void)
{
	return (struct database_row){
		.column_count = COLUMN_COUNT,
		.columns = {
			[ID] = text("photo-1"), [ORIGIN] = text("media"), [OBJECT_KEY] = text("a/b.jpg"),
			[VERSION] = integer(7), [BYTES] = integer(1234), [ETAG] = text("\"e\""),
			[MEDIA_TYPE] = text("image/png"), [WIDTH] = integer(640), [HEIGHT] = integer(480),
			[FRAMES] = integer(2), [ORIENTATION] = integer(8), [HAS_ALPHA] = integer(1),
			[IS_PROGRESSIVE] = integer(0), [VISIBILITY] = text("signed"), [FOCUS_X] = real(0.25),
			[FOCUS_Y] = real(0.5), [WATERMARK] = text("w"), [CREDIT] = text("c"),
			[CREDIT_IS_IMPOSED] = integer(1), [COLOURS] = text("ff0000,00ff00"), [BLURHASH] = text("b"),
			[THUMBHASH] = text("t"), [PLACEHOLDER] = text("p"), [OWNER] = text("o"), [CREATED] = integer(10),
			[UPDATED] = integer(20), [EXPIRES] = integer(0)
		}
	};
}

static void
test_reads_every_column_into_its_field(void **state)
{
	struct database_row row = good_row();
	struct asset asset;
	struct failure why = { 0 };

	(void)state;
	assert_true(asset_row_read(&row, &asset, &why));
	assert_string_equal(asset.id, "photo-1");
	assert_string_equal(asset.origin, "media");
	assert_string_equal(asset.key, "a/b.jpg");
	assert_int_equal(asset.version, 7);
	assert_int_equal(asset.bytes, 1234);
	assert_string_equal(asset.etag, "\"e\"");
	assert_int_equal(asset.media, MEDIA_PNG);
	assert_int_equal(asset.width, 640);
	assert_int_equal(asset.height, 480);
	assert_int_equal(asset.frames, 2);
	assert_int_equal(asset.orientation, 8);
	assert_true(asset.has_alpha);
	assert_false(asset.is_progressive);
	assert_int_equal(asset.visibility, VISIBILITY_SIGNED);
	assert_true(asset.has_focus);
	assert_true(asset.focus_x == 0.25 && asset.focus_y == 0.5);
	assert_string_equal(asset.watermark, "w");
	assert_string_equal(asset.credit, "c");
	assert_true(asset.credit_is_imposed);
	assert_string_equal(asset.colours, "ff0000,00ff00");
	assert_string_equal(asset.blurhash, "b");
	assert_string_equal(asset.thumbhash, "t");
	assert_string_equal(asset.placeholder, "p");
	assert_string_equal(asset.owner, "o");
	assert_int_equal(asset.created, 10);
	assert_int_equal(asset.updated, 20);
	assert_int_equal(asset.expires, 0);
}

static void
test_reads_a_row_without_focus(void **state)
{
	struct database_row row = good_row();
	struct asset asset;
	struct failure why = { 0 };

	(void)state;
	row.columns[FOCUS_X] = row.columns[FOCUS_Y] = null();
	assert_true(asset_row_read(&row, &asset, &why));
	assert_false(asset.has_focus);
}

static void
test_names_the_wrong_column(void **state)
{
	char long_text[ASSET_TEXT_MAX + 2] = "", long_key[ASSET_KEY_MAX + 2] = "";
	char long_placeholder[ASSET_PLACEHOLDER_MAX + 2] = "";

	(void)state;
	memset(long_text, 't', sizeof(long_text) - 1);
	memset(long_key, 'k', sizeof(long_key) - 1);
	memset(long_placeholder, 'p', sizeof(long_placeholder) - 1);
	const struct {
		enum column column;
		struct database_value value;
		const char *named;
	} cases[] = {
		{ ID, text("no id"), "wrong id" },
		{ ID, text(""), "wrong id" },
		{ ORIGIN, integer(1), "wrong origin" },
		{ OBJECT_KEY, text(long_key), "wrong object_key" },
		{ OBJECT_KEY, { .type = DATABASE_TEXT, .text = { "a\0b", 3 } }, "wrong object_key" },
		{ VERSION, integer(-1), "wrong version" },
		{ VERSION, null(), "wrong version" },
		{ MEDIA_TYPE, text("text/html"), "wrong media_type" },
		{ WIDTH, integer(1LL << 32), "wrong width" },
		{ FRAMES, integer(0), "wrong frames" },
		{ ORIENTATION, integer(9), "wrong orientation" },
		{ ORIENTATION, integer(0), "wrong orientation" },
		{ HAS_ALPHA, integer(2), "wrong has_alpha" },
		{ VISIBILITY, text("secret"), "wrong visibility" },
		{ FOCUS_X, real(1.5), "wrong focus_x" },
		{ FOCUS_X, null(), "wrong focus_y" },
		{ FOCUS_Y, text("0.5"), "wrong focus_y" },
		{ CREDIT, text(long_text), "wrong credit" },
		{ CREDIT_IS_IMPOSED, integer(2), "wrong credit_is_imposed" },
		{ COLOURS, text("ffffff,ffffff,ffffff,ffffff,ffffff,ffffff,"), "wrong colours" },
		{ BLURHASH, text("12345678901234567890123456789"), "wrong blurhash" },
		{ THUMBHASH, text("1234567890123456789012345678901234567"), "wrong thumbhash" },
		{ PLACEHOLDER, text(long_placeholder), "wrong placeholder" },
		{ EXPIRES, integer(-5), "wrong expires" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct database_row row = good_row();
		struct asset asset;
		struct failure why = { 0 };

		row.columns[cases[i].column] = cases[i].value;
		assert_false(asset_row_read(&row, &asset, &why));
		assert_int_equal(why.kind, FAIL_UPSTREAM);
		if (strstr(why.detail, cases[i].named) == NULL)
			fail_msg("case %zu: want \"%s\" in \"%s\"", i, cases[i].named, why.detail);
	}
}

static unsigned
count_questions(const char *statement)
{
	unsigned count = 0;

	for (; *statement != '\0'; statement++)
		count += *statement == '?';
	return count;
}

static void
test_statements_take_as_many_values_as_there_are(void **state)
{
	struct asset asset = { .media = MEDIA_JPEG };
	struct database_value values[DATABASE_PARAMETERS_MAX];

	(void)state;
	assert_int_equal(count_questions(ASSET_ROW_INSERT), ASSET_ROW_INSERT_VALUES);
	assert_int_equal(count_questions(ASSET_ROW_UPDATE), ASSET_ROW_UPDATE_VALUES);
	assert_int_equal(count_questions(ASSET_ROW_SET), ASSET_ROW_SET_VALUES);
	asset_row_insert_values(&asset, values);	/* these count for themselves */
	asset_row_update_values(&asset, values);
	asset_row_set_values(&asset, 0, values);
}

/* In the order of ASSET_ROW_SET; the focal point has a flag before each coordinate. */
enum set_value {
	SET_VISIBILITY, SET_HAS_X, SET_X, SET_HAS_Y, SET_Y, SET_WATERMARK, SET_CREDIT, SET_IS_IMPOSED, SET_OWNER,
	SET_EXPIRES, SET_ID
};

static const struct asset changed = {
	.id = "photo-1", .visibility = VISIBILITY_GONE, .has_focus = true, .focus_x = 0.25, .focus_y = 0.5,
	.watermark = "w", .credit = "c", .credit_is_imposed = true, .owner = "o", .expires = 30
};

static void
test_sets_every_field_that_is_meant(void **state)
{
	const unsigned all = ASSET_VISIBILITY | ASSET_FOCUS | ASSET_WATERMARK | ASSET_CREDIT |
	    ASSET_CREDIT_IS_IMPOSED | ASSET_OWNER | ASSET_EXPIRES;
	struct database_value values[ASSET_ROW_SET_VALUES];

	(void)state;
	asset_row_set_values(&changed, all, values);
	assert_true(span_equals(values[SET_VISIBILITY].text, "gone"));
	assert_int_equal(values[SET_HAS_X].integer, 1);
	assert_true(values[SET_X].type == DATABASE_DOUBLE && values[SET_X].real == 0.25);
	assert_int_equal(values[SET_HAS_Y].integer, 1);
	assert_true(values[SET_Y].type == DATABASE_DOUBLE && values[SET_Y].real == 0.5);
	assert_true(span_equals(values[SET_WATERMARK].text, "w"));
	assert_true(span_equals(values[SET_CREDIT].text, "c"));
	assert_int_equal(values[SET_IS_IMPOSED].integer, 1);
	assert_true(span_equals(values[SET_OWNER].text, "o"));
	assert_int_equal(values[SET_EXPIRES].integer, 30);
	assert_true(span_equals(values[SET_ID].text, "photo-1"));
}

static void
test_leaves_every_other_field_alone(void **state)
{
	static const struct {
		enum asset_field field;
		enum set_value value;
	} cases[] = {
		{ ASSET_VISIBILITY, SET_VISIBILITY }, { ASSET_WATERMARK, SET_WATERMARK }, { ASSET_CREDIT, SET_CREDIT },
		{ ASSET_CREDIT_IS_IMPOSED, SET_IS_IMPOSED }, { ASSET_OWNER, SET_OWNER }, { ASSET_EXPIRES, SET_EXPIRES },
	};
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	struct database_value values[ASSET_ROW_SET_VALUES];

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		asset_row_set_values(&changed, cases[i].field, values);
		for (size_t k = 0; k < CASES; k++)
			if ((values[cases[k].value].type == DATABASE_NULL) != (k != i))
				fail_msg("field %zu and value %zu", i, k);
		assert_int_equal(values[SET_HAS_X].integer, 0);
		assert_int_equal(values[SET_HAS_Y].integer, 0);
	}
}

static void
test_forgets_the_focal_point(void **state)
{
	const struct asset without_focus = { .id = "photo-1" };
	struct database_value values[ASSET_ROW_SET_VALUES];

	(void)state;
	asset_row_set_values(&without_focus, ASSET_FOCUS, values);
	assert_int_equal(values[SET_HAS_X].integer, 1);
	assert_int_equal(values[SET_X].type, DATABASE_NULL);
	assert_int_equal(values[SET_HAS_Y].integer, 1);
	assert_int_equal(values[SET_Y].type, DATABASE_NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_every_column_into_its_field),
		cmocka_unit_test(test_reads_a_row_without_focus),
		cmocka_unit_test(test_names_the_wrong_column),
		cmocka_unit_test(test_statements_take_as_many_values_as_there_are),
		cmocka_unit_test(test_sets_every_field_that_is_meant),
		cmocka_unit_test(test_leaves_every_other_field_alone),
		cmocka_unit_test(test_forgets_the_focal_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
