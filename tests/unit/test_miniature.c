/*
 * Palette, BlurHash and ThumbHash of pictures that are formulas.
 *
 * The hashes are what the reference implementations give for the same formulas:
 * npm's thumbhash 0.1.1, and blurhash 2.0.5, where the largest component is the
 * largest without its sign, as in the C and Swift references.
 */
#include "image/miniature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum formula { SLOPES, QUARTERS, HOLES, NIGHT };

static struct miniature picture;

static void
set_pixel(uint8_t pixel[4], unsigned red, unsigned green, unsigned blue, unsigned alpha)
{
	pixel[0] = (uint8_t)red;
	pixel[1] = (uint8_t)green;
	pixel[2] = (uint8_t)blue;
	pixel[3] = (uint8_t)alpha;
}

static void
paint_pixel(enum formula formula, unsigned x, unsigned y, uint8_t pixel[4])
{
	static const uint8_t quarters[4][3] = { { 200, 30, 30 }, { 40, 160, 60 }, { 40, 60, 190 }, { 230, 210, 40 } };
	unsigned width = picture.width, height = picture.height;
	const uint8_t *quarter = quarters[(2 * x >= width) + 2 * (2 * y >= height)];

	switch (formula) {
	case SLOPES:
		set_pixel(pixel, x * 255 / width, y * 255 / height, 255 - (x + y) * 255 / (width + height), 255);
		break;
	case QUARTERS:
		set_pixel(pixel, quarter[0], quarter[1], quarter[2], 255);
		break;
	case HOLES:
		set_pixel(pixel, x * 255 / width, x * y % 256, 90, (x * 7 + y * 13) % 256);
		break;
	case NIGHT:
		set_pixel(pixel, 0, 0, y * 60 / height, 255);
		break;
	}
}

static void
paint(enum formula formula, unsigned width, unsigned height)
{
	picture.width = width;
	picture.height = height;
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++)
			paint_pixel(formula, x, y, picture.pixels[y * width + x]);
}

/* ---- hashes ----------------------------------------------------------------------- */

static void
test_hashes_like_the_reference_implementations(void **state)
{
	static const struct {
		enum formula formula;
		unsigned width, height;
		const char *blurhash, *thumbhash;
	} cases[] = {
		{ SLOPES, 32, 32, "LxG[[]2xw#X9m3WHjue?gMfkfQfk",
		    "9ff7056f1a80878770777778777777877777080888808f07" },
		{ SLOPES, 100, 60, "L#HLh:2e$8Sihua%juf8gefRfQfQ",
		    "df0706749a838787808888787887707207f887" },
		{ SLOPES, 60, 100, "T#HC4S2d$7hva%fRgffkfQj1a}fQ",
		    "dff705741a803778888887877888727007f778" },
		{ SLOPES, 1, 1, "L~0036fZfZfZfZfZfZfZfZfZfZfZ",
		    "15002aff0108f708888788708f7088f80888707ff8000000" },
		{ SLOPES, 100, 1, "L~HF~X6pw$SP|l6pw$SP|l6pw$SP",
		    "d5f52a99be7777778888088880784e8808" },
		{ SLOPES, 20, 100, "T#Gv022]wzhwajfRggfkfQj1a#fQ",
		    "dff709891a70767878777777848008f778" },
		{ QUARTERS, 100, 67, "LlIXQkL^ahtcMw}QoJJCayj?fQa|",
		    "5a190a5d94828986b067877888a8868780eaf7987e" },
		{ QUARTERS, 48, 64, "TlIXQlL_aiMw}QoJayoJfQt8JCa#",
		    "5b190a5d147279b0688888a77687687870eaf7988e" },
		{ HOLES, 100, 100, "L#HLeA1y#oR-jIagf7f7e;f7f7f7",
		    "1c09861d0c0770767777777777707707888855351d0e55d441" },
		{ HOLES, 75, 100, "T#HB@U1y#ojIagf7e;f7f7jIazf7",
		    "1c09861c0c0770767778777707777780883807555a7c73a507" },
		{ HOLES, 90, 20, "L#HL6G1M#VRnrvV^jaa|eXf7f%f%",
		    "db2886218a077076768886707606999877778685718076" },
		{ NIGHT, 16, 9, "L1000VfTfQfTfHfOfQfOfOfPfQfP",
		    "0207021c80787878807878888887878f080000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char blurhash[PORTRAIT_BLURHASH_MAX + 1], hex[2 * THUMBHASH_BYTES_MAX + 1];
		uint8_t thumbhash[THUMBHASH_BYTES_MAX];
		unsigned length;

		paint(cases[i].formula, cases[i].width, cases[i].height);
		miniature_blurhash(&picture, blurhash);
		assert_string_equal(blurhash, cases[i].blurhash);
		length = miniature_thumbhash(&picture, thumbhash);
		for (unsigned k = 0; k < length; k++)
			snprintf(hex + 2 * k, 3, "%02x", thumbhash[k]);
		assert_string_equal(hex, cases[i].thumbhash);
	}
}

/* ---- palette ---------------------------------------------------------------------- */

struct patch {
	uint8_t colour[3];
	unsigned pixels;
};

/* One colour after the other, row after row: where a pixel is does not matter. */
static void
paint_patches(const struct patch *patches, unsigned count)
{
	unsigned next = 0;

	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < patches[i].pixels; k++)
			set_pixel(picture.pixels[next++], patches[i].colour[0], patches[i].colour[1],
			    patches[i].colour[2], 255);
	picture.width = 100;
	picture.height = next / 100;
	assert_int_equal(next, picture.width * picture.height);
}

static void
assert_near(const uint8_t colour[3], const uint8_t wanted[3], int tolerance)
{
	for (unsigned c = 0; c < 3; c++)
		if (abs(colour[c] - wanted[c]) > tolerance)
			fail_msg("%02x%02x%02x instead of %02x%02x%02x", colour[0], colour[1], colour[2],
			    wanted[0], wanted[1], wanted[2]);
}

static void
test_finds_the_colours_of_flat_patches_by_their_area(void **state)
{
	static const struct patch patches[] = {
		{ { 20, 40, 160 }, 1500 }, { { 250, 240, 230 }, 4000 }, { { 200, 30, 30 }, 900 },
		{ { 0, 0, 0 }, 3000 }, { { 40, 160, 60 }, 600 },
	};
	static const unsigned by_area[] = { 1, 3, 0, 2, 4 };
	uint8_t colours[PORTRAIT_PALETTE_MAX][3];

	(void)state;
	paint_patches(patches, 5);
	assert_int_equal(miniature_palette(&picture, colours), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_near(colours[i], patches[by_area[i]].colour, 1);
}

static void
test_has_no_more_colours_than_the_eye_sees(void **state)
{
	static const struct patch one[] = { { { 18, 52, 86 }, 700 } };
	static const struct patch alike[] = { { { 100, 100, 100 }, 400 }, { { 102, 101, 100 }, 300 } };
	static const struct patch two[] = { { { 255, 255, 255 }, 100 }, { { 255, 0, 0 }, 300 } };
	static const uint8_t between[3] = { 101, 100, 100 };
	uint8_t colours[PORTRAIT_PALETTE_MAX][3];

	(void)state;
	paint_patches(one, 1);
	assert_int_equal(miniature_palette(&picture, colours), 1);
	assert_near(colours[0], one[0].colour, 0);
	paint_patches(alike, 2);
	assert_int_equal(miniature_palette(&picture, colours), 1);
	assert_near(colours[0], between, 1);
	paint_patches(two, 2);
	assert_int_equal(miniature_palette(&picture, colours), 2);
	assert_near(colours[0], two[1].colour, 0);
	assert_near(colours[1], two[0].colour, 0);
}

/* Where two colours meet, a scaled picture has some that are in neither. */
static void
test_leaves_out_what_covers_less_than_a_hundredth(void **state)
{
	static const struct patch patches[] = {
		{ { 255, 255, 255 }, 5000 }, { { 255, 0, 0 }, 4905 }, { { 0, 0, 255 }, 95 },
	};
	uint8_t colours[PORTRAIT_PALETTE_MAX][3];

	(void)state;
	paint_patches(patches, 3);
	assert_int_equal(miniature_palette(&picture, colours), 2);
	assert_near(colours[0], patches[0].colour, 0);
	assert_near(colours[1], patches[1].colour, 0);
}

static void
test_keeps_a_small_spot_of_another_colour(void **state)
{
	static const struct patch patches[] = {
		{ { 255, 255, 255 }, 5000 }, { { 240, 240, 240 }, 4850 }, { { 255, 0, 0 }, 150 },
	};
	uint8_t colours[PORTRAIT_PALETTE_MAX][3];
	unsigned count;

	(void)state;
	paint_patches(patches, 3);
	count = miniature_palette(&picture, colours);
	assert_int_equal(count, 3);
	assert_near(colours[2], patches[2].colour, 0);
}

static void
test_a_single_pixel_has_one_colour(void **state)
{
	static const uint8_t wanted[3] = { 7, 8, 9 };
	uint8_t colours[PORTRAIT_PALETTE_MAX][3];

	(void)state;
	picture.width = picture.height = 1;
	set_pixel(picture.pixels[0], 7, 8, 9, 255);
	assert_int_equal(miniature_palette(&picture, colours), 1);
	assert_near(colours[0], wanted, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes_like_the_reference_implementations),
		cmocka_unit_test(test_finds_the_colours_of_flat_patches_by_their_area),
		cmocka_unit_test(test_has_no_more_colours_than_the_eye_sees),
		cmocka_unit_test(test_leaves_out_what_covers_less_than_a_hundredth),
		cmocka_unit_test(test_keeps_a_small_spot_of_another_colour),
		cmocka_unit_test(test_a_single_pixel_has_one_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
