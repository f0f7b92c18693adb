#include "asset/slug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIXTY "0123456789012345678901234567890123456789012345678901234567890"	/* 61 */

static void
test_makes_an_id_of_a_key(void **state)
{
	static const struct {
		const char *key, *want;
	} table[] = {
		{ "lion.jpg", "lion" },
		{ "photos/2024/Lion at Lake.JPEG", "photos-2024-Lion-at-Lake" },
		{ "photos/L\303\266we am See.jpg", "photos-L-we-am-See" },
		{ "a+b%20c.png", "a-b-20c" },
		{ "under_score-and-dash.png", "under_score-and-dash" },
		{ "many   ---   gaps.png", "many-gaps" },
		{ "--leading and trailing--.png", "leading-and-trailing" },
		{ "archive.tar.gz", "archive-tar" },
		{ "folder.d/name", "folder-d-name" },
		{ "folder.d/.hidden", "folder-d-hidden" },
		{ ".hidden", "hidden" },
		{ "trailing.", "trailing" },
		{ "\346\227\245\346\234\254.jpg", "asset" },
		{ "", "asset" },
		{ ".", "asset" },
		{ "/", "asset" },
		{ SIXTY "abc.jpg", SIXTY "abc" },		/* 64 fit */
		{ SIXTY "abcd.jpg", SIXTY "abc" },		/* 65 do not */
		{ SIXTY "ab cd.jpg", SIXTY "ab" },		/* no gap at the end */
		{ SIXTY "abc d.jpg", SIXTY "abc" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct slug slug = slug_of_key(span_of(table[i].key));

		assert_string_equal(slug.id, table[i].want);
		assert_true(asset_id_is_valid(span_of(slug.id)));
	}
}

static void
test_reads_no_further_than_the_key(void **state)
{
	struct slug slug = slug_of_key(span_range("lion.jpgmore", 8));

	(void)state;
	assert_string_equal(slug.id, "lion");
}

static void
test_tells_keys_apart_that_suggest_one_id(void **state)
{
	/* printf s3:a-b.png | sha256sum */
	static const struct {
		const char *origin, *key, *want;
	} table[] = {
		{ "s3", "a b.jpg", "a-b-f5e3ac41" },
		{ "s3", "a-b.png", "a-b-92a2c914" },
		{ "other", "a b.jpg", "a-b-206988f0" },
		{ "s3", SIXTY "abc.jpg", "0123456789012345678901234567890123456789012345678901234-8bb8abac" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct slug slug = slug_distinct(span_of(table[i].origin), span_of(table[i].key));

		assert_string_equal(slug.id, table[i].want);
		assert_true(asset_id_is_valid(span_of(slug.id)));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_an_id_of_a_key),
		cmocka_unit_test(test_reads_no_further_than_the_key),
		cmocka_unit_test(test_tells_keys_apart_that_suggest_one_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
