/* test_dressing - configuration, asset and URL agree on what lies over a picture. */
#include "asset/dressing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct dressing_config config = {
	.watermarks = {
		{ .name = "logo", .asset = "logo", .file = "", .fd = -1,
		  .mark = { .position = GRAVITY_SOUTH_EAST, .scale = 0.2, .opacity = 1 } },
		{ .name = "tile", .asset = "", .file = "/etc/tile.png", .fd = -1,
		  .mark = { .position = GRAVITY_CENTRE, .scale = 0.5, .opacity = 0.1, .is_tiled = true } },
	},
	.watermark_count = 2,
	.credit = { .font = "Serif", .size = 0.03, .position = GRAVITY_SOUTH_WEST, .margin = 0.02,
	    .colour = { 1, 2, 3, 4 }, .min_width = 200, .min_height = 100 },
};

static bool
choose(const struct dressing_config *chosen_config, const struct asset *asset, const char *text,
    struct dressing *dressing, struct failure *why)
{
	struct recipe recipe;

	memset(why, 0, sizeof(*why));
	if (!recipe_parse(span_of(text), NULL, &recipe, why))
		fail_msg("%s: %s", text, why->detail);
	return dressing_choose(chosen_config, asset, &recipe, dressing, why);
}

static struct dressing
dressing_of(const struct asset *asset, const char *text)
{
	struct failure why;
	struct dressing dressing;

	if (!choose(&config, asset, text, &dressing, &why))
		fail_msg("%s: %s", text, why.detail);
	return dressing;
}

static void
test_lays_nothing_over_a_picture_by_itself(void **state)
{
	const struct asset asset = { .credit = "A. Body" };
	struct dressing dressing = dressing_of(&asset, "w=100");

	(void)state;
	assert_null(dressing.watermark);
	assert_false(dressing.overlays.mark.is_set);
	assert_int_equal(dressing.overlays.caption_count, 0);
}

static void
test_lays_what_the_url_names(void **state)
{
	const struct asset asset = { .id = "bike" };
	struct dressing dressing = dressing_of(&asset, "watermark=tile");

	(void)state;
	assert_string_equal(dressing.watermark->name, "tile");
	assert_true(dressing.overlays.mark.is_set && dressing.overlays.mark.is_tiled);
	assert_true(dressing.overlays.mark.opacity == 0.1);
	assert_false(dressing.overlays.mark.is_imposed);
}

static void
test_prefers_the_assets_own_mark(void **state)
{
	const struct asset asset = { .watermark = "logo" };
	static const char *const urls[] = { "w=100", "watermark=tile", "watermark=logo" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct dressing dressing = dressing_of(&asset, urls[i]);

		assert_string_equal(dressing.watermark->name, "logo");
		assert_true(dressing.overlays.mark.is_set && dressing.overlays.mark.is_imposed);
	}
}

static void
test_refuses_names_that_are_not_configured(void **state)
{
	const struct asset plain = { 0 }, own = { .watermark = "logo" }, lost = { .watermark = "lost" };
	struct dressing dressing;
	struct failure why;

	(void)state;
	assert_false(choose(&config, &plain, "watermark=nobody", &dressing, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	assert_non_null(strstr(why.detail, "watermark=nobody"));
	/* The same mistake, also where the asset's own would have stood in. */
	assert_false(choose(&config, &own, "watermark=nobody", &dressing, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	assert_false(choose(&config, &lost, "watermark=logo", &dressing, &why));
	assert_int_equal(why.kind, FAIL_INTERNAL);
	assert_non_null(strstr(why.detail, "'lost'"));
}

static void
test_draws_the_credit_when_it_is_asked_or_imposed(void **state)
{
	struct dressing_config always = config;
	struct asset asset = { .credit = "Foto: Zo\xc3\xab" }, nobody = { .credit_is_imposed = true };
	struct dressing dressing = dressing_of(&asset, "credit=1");
	struct failure why;

	(void)state;
	assert_int_equal(dressing.overlays.caption_count, 1);
	assert_string_equal(dressing.overlays.captions[0].text, asset.credit);
	assert_string_equal(dressing.overlays.captions[0].font, "Serif");
	assert_int_equal(dressing.overlays.captions[0].min_width, 200);
	assert_false(dressing.overlays.captions[0].is_imposed);
	assert_int_equal(dressing_of(&nobody, "credit=1").overlays.caption_count, 0);

	asset.credit_is_imposed = true;
	dressing = dressing_of(&asset, "w=100");
	assert_int_equal(dressing.overlays.caption_count, 1);
	assert_true(dressing.overlays.captions[0].is_imposed);

	asset.credit_is_imposed = false;
	always.credit_is_imposed = true;
	assert_true(choose(&always, &asset, "credit=0", &dressing, &why));
	assert_int_equal(dressing.overlays.caption_count, 1);
	assert_true(dressing.overlays.captions[0].is_imposed);
}

static void
test_refuses_a_credit_that_cannot_be_drawn(void **state)
{
	const struct asset two_lines = { .credit = "one\ntwo" };
	struct dressing dressing;
	struct failure why;

	(void)state;
	assert_false(choose(&config, &two_lines, "credit=1", &dressing, &why));
	assert_int_equal(why.kind, FAIL_UPSTREAM);
	assert_true(choose(&config, &two_lines, "w=100", &dressing, &why));
}

static void
test_writes_the_urls_own_text_beside_the_credit(void **state)
{
	const struct asset asset = { .credit = "A. Body" };
	struct dressing dressing = dressing_of(&asset, "credit=1,text=Sale%2C today");
	const struct caption *text = &dressing.overlays.captions[1];

	(void)state;
	assert_int_equal(dressing.overlays.caption_count, 2);
	assert_string_equal(text->text, "Sale, today");
	assert_string_equal(text->font, "Serif");
	assert_true(text->position == GRAVITY_SOUTH && text->size == 0.03 && text->colour.green == 2);
	assert_true(text->min_width == 0 && text->min_height == 0);
	dressing = dressing_of(&asset, "text=x,textg=n,textsize=0.1,textcolor=ff0000");
	text = &dressing.overlays.captions[0];
	assert_int_equal(dressing.overlays.caption_count, 1);
	assert_true(text->position == GRAVITY_NORTH && text->size == 0.1 && text->colour.red == 255);
}

static void
test_leaves_the_original_alone(void **state)
{
	const struct asset asset = { .watermark = "logo", .credit = "A. Body", .credit_is_imposed = true };
	struct dressing dressing = dressing_of(&asset, "original");

	(void)state;
	assert_null(dressing.watermark);
	assert_false(dressing.overlays.mark.is_set);
	assert_int_equal(dressing.overlays.caption_count, 0);
}

/* ---- files --------------------------------------------------------------------------- */

static void
write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
test_names_a_file_by_its_content(void **state)
{
	char folder[] = "/tmp/test_dressing_XXXXXX", one[64], two[64];
	struct watermark first = { .name = "a", .asset = "", .file = one, .fd = -1 }, second, third;
	struct failure why = { 0 };
	char head[3];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(one, sizeof(one), "%s/one.gif", folder);
	snprintf(two, sizeof(two), "%s/two.gif", folder);
	write_file(one, "GIF89a, and so on");
	write_file(two, "GIF89a, and so on");
	second = third = first;
	second.file = two;
	assert_true(watermark_open(&first, &why) && watermark_open(&second, &why));
	assert_string_equal(first.key.hex, second.key.hex);
	/* Replaced by rename: who has it open keeps it. */
	write_file(two, "GIF89a, something else");
	assert_int_equal(rename(two, one), 0);
	assert_true(watermark_open(&third, &why));
	assert_string_not_equal(third.key.hex, first.key.hex);
	assert_int_equal(pread(first.fd, head, 3, 8), 3);
	assert_memory_equal(head, "and", 3);
	close(first.fd);
	close(second.fd);
	close(third.fd);
	unlink(one);
	rmdir(folder);
}

static void
test_refuses_files_that_are_no_picture(void **state)
{
	char folder[] = "/tmp/test_dressing_XXXXXX", path[64];
	static const char *const reasons[] = { "No such file", "is no image", "is no file", "has 16777217 bytes" };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/mark", folder);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct watermark watermark = { .name = "logo", .asset = "", .file = path, .fd = -1 };
		struct failure why = { 0 };

		unlink(path);
		if (i == 1 || i == 3)
			write_file(path, "no picture");
		if (i == 2)
			assert_int_equal(mkfifo(path, 0600), 0);
		if (i == 3)
			assert_int_equal(truncate(path, WATERMARK_BYTES_MAX + 1), 0);
		assert_false(watermark_open(&watermark, &why));
		assert_int_equal(watermark.fd, -1);
		if (strstr(why.detail, reasons[i]) == NULL || strstr(why.detail, "[watermark.logo]") == NULL)
			fail_msg("\"%s\" does not say \"%s\"", why.detail, reasons[i]);
	}
	unlink(path);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lays_nothing_over_a_picture_by_itself),
		cmocka_unit_test(test_lays_what_the_url_names),
		cmocka_unit_test(test_prefers_the_assets_own_mark),
		cmocka_unit_test(test_refuses_names_that_are_not_configured),
		cmocka_unit_test(test_draws_the_credit_when_it_is_asked_or_imposed),
		cmocka_unit_test(test_refuses_a_credit_that_cannot_be_drawn),
		cmocka_unit_test(test_writes_the_urls_own_text_beside_the_credit),
		cmocka_unit_test(test_leaves_the_original_alone),
		cmocka_unit_test(test_names_a_file_by_its_content),
		cmocka_unit_test(test_refuses_files_that_are_no_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
