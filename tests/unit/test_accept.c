/* test_accept - what real clients send, and what the grammar allows. */
#include "http/accept.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

/* As sent for an <img> element, and by a few that are no browsers. */
#define CHROME "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
#define FIREFOX "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
#define FIREFOX_65 "image/webp,*/*"
#define SAFARI "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8," \
	"image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
#define SAFARI_12 "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
#define EDGE_PAGE "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng," \
	"*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
#define CURL "*/*"
#define INTERNET_EXPLORER "image/png, image/svg+xml, image/jxr, image/*;q=0.8, */*;q=0.5"
#define INTERNET_EXPLORER_6 "image/gif, image/x-xbitmap, image/jpeg, image/pjpeg, application/x-shockwave-flash, */*"
#define JAVA "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"

struct accept_case {
	const char *field;
	enum media media;
	unsigned weight, weight_named;
};

static void
check(const struct accept_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct span field = span_of(cases[i].field);
		unsigned weight = accept_weight(field, cases[i].media);
		unsigned named = accept_weight_named(field, cases[i].media);

		if (weight != cases[i].weight || named != cases[i].weight_named)
			fail_msg("%s in '%s': %u, named %u", media_extension(cases[i].media),
			    cases[i].field, weight, named);
	}
}

static void
test_understands_real_clients(void **state)
{
	static const struct accept_case cases[] = {
		{ CHROME, MEDIA_AVIF, 1000, 1000 },
		{ CHROME, MEDIA_WEBP, 1000, 1000 },
		{ CHROME, MEDIA_JPEG, 1000, 0 },
		{ CHROME, MEDIA_JXL, 1000, 0 },
		{ FIREFOX, MEDIA_AVIF, 1000, 1000 },
		{ FIREFOX, MEDIA_JPEG, 800, 0 },
		{ FIREFOX, MEDIA_PNG, 1000, 1000 },
		{ FIREFOX_65, MEDIA_WEBP, 1000, 1000 },
		{ FIREFOX_65, MEDIA_AVIF, 1000, 0 },
		{ SAFARI, MEDIA_JXL, 1000, 1000 },
		{ SAFARI, MEDIA_AVIF, 1000, 1000 },
		{ SAFARI, MEDIA_GIF, 800, 0 },
		{ SAFARI_12, MEDIA_WEBP, 800, 0 },
		{ EDGE_PAGE, MEDIA_AVIF, 1000, 1000 },
		{ EDGE_PAGE, MEDIA_PNG, 800, 0 },
		{ CURL, MEDIA_JPEG, 1000, 0 },
		{ CURL, MEDIA_AVIF, 1000, 0 },
		{ INTERNET_EXPLORER, MEDIA_PNG, 1000, 1000 },
		{ INTERNET_EXPLORER, MEDIA_WEBP, 800, 0 },
		{ INTERNET_EXPLORER_6, MEDIA_JPEG, 1000, 1000 },
		{ INTERNET_EXPLORER_6, MEDIA_PNG, 1000, 0 },
		{ JAVA, MEDIA_GIF, 1000, 1000 },
		{ JAVA, MEDIA_PNG, 200, 0 },
	};

	(void)state;
	check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_accepts_everything_when_nothing_is_said(void **state)
{
	static const struct accept_case cases[] = {
		{ "", MEDIA_AVIF, 1000, 0 },
		{ " \t", MEDIA_JPEG, 1000, 0 },
	};
	struct span absent = { NULL, 0 };

	(void)state;
	check(cases, sizeof(cases) / sizeof(cases[0]));
	assert_int_equal(accept_weight(absent, MEDIA_PNG), 1000);
	assert_int_equal(accept_weight_named(absent, MEDIA_PNG), 0);
}

static void
test_lets_the_closest_range_decide(void **state)
{
	static const struct accept_case cases[] = {
		{ "image/webp;q=0, */*", MEDIA_WEBP, 0, 0 },
		{ "*/*, image/webp;q=0", MEDIA_WEBP, 0, 0 },
		{ "image/*;q=0.1, image/png;q=0.9, */*", MEDIA_PNG, 900, 900 },
		{ "image/*;q=0, */*", MEDIA_PNG, 0, 0 },
		{ "image/*;q=0.3, */*;q=0.9", MEDIA_PNG, 300, 0 },
		{ "image/avif;codecs=\"av01,x;q=0\";q=0.4", MEDIA_AVIF, 400, 400 },
		{ "image/jpeg;progressive=1;q=0.1, image/jpeg;q=0.9", MEDIA_JPEG, 900, 900 },
		{ "image/jpeg;q=0.2, image/jpeg;q=0.7", MEDIA_JPEG, 700, 700 },
		{ "text/html", MEDIA_JPEG, 0, 0 },
	};

	(void)state;
	check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_reads_weights_as_the_grammar_says(void **state)
{
	static const struct accept_case cases[] = {
		{ "image/png;q=1", MEDIA_PNG, 1000, 1000 },
		{ "image/png;q=1.000", MEDIA_PNG, 1000, 1000 },
		{ "image/png;q=0.", MEDIA_PNG, 0, 0 },
		{ "image/png;q=0.001", MEDIA_PNG, 1, 1 },
		{ "image/png;q=0.05", MEDIA_PNG, 50, 50 },
		{ "image/png ; Q=0.5", MEDIA_PNG, 500, 500 },
		{ "IMAGE/PNG;q=0.5", MEDIA_PNG, 500, 500 },
		{ "image/png;q=0.5;ext=1", MEDIA_PNG, 500, 500 },
		/* malformed parts are skipped, and only they */
		{ "image/png;q=1.001, image/*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q=2, */*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q=0.1234, */*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q=-1, */*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q=, */*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q, */*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q=., */*;q=0.2", MEDIA_PNG, 200, 0 },
		{ "image/png;q=high", MEDIA_PNG, 0, 0 },
	};

	(void)state;
	check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_survives_garbage(void **state)
{
	static const struct accept_case cases[] = {
		{ ",,,", MEDIA_PNG, 0, 0 },
		{ ";;;", MEDIA_PNG, 0, 0 },
		{ "image", MEDIA_PNG, 0, 0 },
		{ "image/", MEDIA_PNG, 0, 0 },
		{ "*", MEDIA_PNG, 0, 0 },
		{ "*/png", MEDIA_PNG, 0, 0 },
		{ "\"image/png", MEDIA_PNG, 0, 0 },
		{ "x;y=\"\\", MEDIA_PNG, 0, 0 },
		{ "\xff\xfe,image/png", MEDIA_PNG, 1000, 1000 },
		{ ", ,image/png,", MEDIA_PNG, 1000, 1000 },
		{ "image/png;;", MEDIA_PNG, 1000, 1000 },
		{ "*/*", MEDIA_NONE, 1000, 0 },
		{ "application/x, image/bmp", MEDIA_NONE, 0, 0 },
	};

	(void)state;
	check(cases, sizeof(cases) / sizeof(cases[0]));
}

/* The part that lies across the limit could lose its "q=0" there. */
static void
test_forgets_what_lies_across_the_limit(void **state)
{
	char field[ACCEPT_MAX + 8];
	static const char last[] = ",image/png;q=0";

	(void)state;
	memset(field, 'x', sizeof(field));
	memcpy(field + ACCEPT_MAX + 4 - strlen(last), last, strlen(last));
	assert_int_equal(accept_weight(span_range(field, ACCEPT_MAX + 4), MEDIA_PNG), 0);
	memcpy(field, "image/png,", 10);
	assert_int_equal(accept_weight(span_range(field, ACCEPT_MAX + 4), MEDIA_PNG), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understands_real_clients),
		cmocka_unit_test(test_accepts_everything_when_nothing_is_said),
		cmocka_unit_test(test_lets_the_closest_range_decide),
		cmocka_unit_test(test_reads_weights_as_the_grammar_says),
		cmocka_unit_test(test_survives_garbage),
		cmocka_unit_test(test_forgets_what_lies_across_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
