/* The line of text beside a file's bytes. */
#include "store/record.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	struct record record;
} records[] = {
	{ "1 0 0000000000000000 none", { 0, 0, MEDIA_NONE } },
	{ "1 20480 0123456789abcdef webp", { 20480, 0x0123456789abcdef, MEDIA_WEBP } },
	{ "1 1 ffffffffffffffff jpg", { 1, UINT64_MAX, MEDIA_JPEG } },
	{ "1 9223372036854775807 0000000000000001 svg", { INT64_MAX, 1, MEDIA_SVG } },
};

static void
test_prints_and_parses_each_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		char text[RECORD_MAX];
		struct record record = { 0 };

		assert_int_equal(record_print(&records[i].record, text), strlen(records[i].text));
		assert_string_equal(text, records[i].text);
		assert_true(record_parse(span_of(text), &record));
		assert_int_equal(record.bytes, records[i].record.bytes);
		assert_int_equal(record.checksum, records[i].record.checksum);
		assert_int_equal(record.media, records[i].record.media);
	}
}

static void
test_prints_every_media_type_within_its_room(void **state)
{
	(void)state;
	for (enum media media = MEDIA_NONE; media < MEDIA_COUNT; media++) {
		struct record record = { INT64_MAX, UINT64_MAX, media }, parsed;
		char text[RECORD_MAX];

		assert_true(record_print(&record, text) < RECORD_MAX);
		assert_true(record_parse(span_of(text), &parsed));
		assert_int_equal(parsed.media, media);
	}
}

static void
test_refuses_every_other_text(void **state)
{
	static const char *const texts[] = {
		"", " ", "1", "1 ", "1 5", "1 5 0123456789abcdef", "1 5 0123456789abcdef ",
		"2 5 0123456789abcdef webp", "01 5 0123456789abcdef webp", " 1 5 0123456789abcdef webp",
		"1  5 0123456789abcdef webp", "1 -5 0123456789abcdef webp", "1 +5 0123456789abcdef webp",
		"1 5x 0123456789abcdef webp", "1 9223372036854775808 0123456789abcdef webp",
		"1 5 0123456789abcde webp", "1 5 0123456789abcdef0 webp", "1 5 0123456789ABCDEF webp",
		"1 5 0123456789abcdeg webp", "1 5 0123456789abcdef bmp", "1 5 0123456789abcdef WEBP",
		"1 5 0123456789abcdef jpeg", "1 5 0123456789abcdef webp ", "1 5 0123456789abcdef webp\n",
		"1 5 0123456789abcdef webp webp", "1\t5\t0123456789abcdef\twebp",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct record record = { 7, 7, MEDIA_GIF };

		if (record_parse(span_of(texts[i]), &record))
			fail_msg("accepted \"%s\"", texts[i]);
		assert_int_equal(record.bytes, 7);
	}
	assert_false(record_parse(span_range("1 5 0123456789abcdef webp\0", 26),
	    &(struct record){ .media = MEDIA_NONE }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints_and_parses_each_record),
		cmocka_unit_test(test_prints_every_media_type_within_its_room),
		cmocka_unit_test(test_refuses_every_other_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
