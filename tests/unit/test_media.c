/* test_media - names, and the first bytes of real files. */
#include "http/media.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void
test_knows_extensions_in_any_case(void **state)
{
	static const struct {
		const char *input;
		enum media want;
	} cases[] = {
		{ "jpg", MEDIA_JPEG }, { "JPEG", MEDIA_JPEG }, { "png", MEDIA_PNG }, { "WebP", MEDIA_WEBP },
		{ "avif", MEDIA_AVIF }, { "gif", MEDIA_GIF }, { "jxl", MEDIA_JXL }, { "heic", MEDIA_HEIC },
		{ "heif", MEDIA_HEIC }, { "tif", MEDIA_TIFF }, { "tiff", MEDIA_TIFF }, { "svg", MEDIA_SVG },
		{ "", MEDIA_NONE }, { ".jpg", MEDIA_NONE }, { "none", MEDIA_NONE }, { "bmp", MEDIA_NONE },
		{ "jpgx", MEDIA_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(media_of_extension(span_of(cases[i].input)), cases[i].want);
}

static void
test_knows_types_and_ignores_parameters(void **state)
{
	static const struct {
		const char *input;
		enum media want;
	} cases[] = {
		{ "image/jpeg", MEDIA_JPEG }, { "image/jpg", MEDIA_JPEG }, { "IMAGE/PNG", MEDIA_PNG },
		{ "image/svg+xml; charset=utf-8", MEDIA_SVG }, { " image/webp ;x=y", MEDIA_WEBP },
		{ "image/heif", MEDIA_HEIC }, { "image/apng", MEDIA_NONE }, { "text/html", MEDIA_NONE },
		{ "application/octet-stream", MEDIA_NONE }, { "", MEDIA_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(media_of_type(span_of(cases[i].input)), cases[i].want);
}

static void
test_finds_again_what_it_names(void **state)
{
	(void)state;
	for (enum media media = MEDIA_JPEG; media < MEDIA_COUNT; media++) {
		assert_int_equal(media_of_type(span_of(media_type(media))), media);
		assert_int_equal(media_of_extension(span_of(media_extension(media))), media);
		assert_int_equal(media_is_writable(media), media < MEDIA_HEIC);
		assert_int_equal(media_has_alpha(media), media != MEDIA_JPEG);
	}
	assert_false(media_is_writable(MEDIA_NONE));
}

struct file_start {
	const char *bytes;
	size_t length;
	enum media want;
};

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct file_start starts[] = {
	{ BYTES("\xFF\xD8\xFF\xE0\0\x10JFIF"), MEDIA_JPEG },
	{ BYTES("\xFF\xD8\xFF\xDB"), MEDIA_JPEG },
	{ BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"), MEDIA_PNG },
	{ BYTES("GIF87a\1\0"), MEDIA_GIF },
	{ BYTES("GIF89a\1\0"), MEDIA_GIF },
	{ BYTES("RIFF\x24\0\0\0WEBPVP8 "), MEDIA_WEBP },
	{ BYTES("RIFF\x24\0\0\0WEBPVP8L"), MEDIA_WEBP },
	{ BYTES("RIFF\x24\0\0\0WEBPVP8X"), MEDIA_WEBP },
	{ BYTES("\xFF\x0A\xFA\x1F"), MEDIA_JXL },
	{ BYTES("\0\0\0\x0CJXL \r\n\x87\n\0\0\0\x14" "ftypjxl "), MEDIA_JXL },
	{ BYTES("II*\0\x08\0\0\0"), MEDIA_TIFF },
	{ BYTES("MM\0*\0\0\0\x08"), MEDIA_TIFF },
	{ BYTES("II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"), MEDIA_TIFF },
	{ BYTES("MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10"), MEDIA_TIFF },
	/* libavif; an AVIF sequence; a file whose major brand only says HEIF */
	{ BYTES("\0\0\0\x20" "ftypavif\0\0\0\0avifmif1miafMA1B"), MEDIA_AVIF },
	{ BYTES("\0\0\0\x2C" "ftypavis\0\0\0\0avismsf1iso8mif1miafMA1B"), MEDIA_AVIF },
	{ BYTES("\0\0\0\x1C" "ftypmif1\0\0\0\0mif1avifmiaf"), MEDIA_AVIF },
	/* iPhone; libheif; Nokia's samples; a burst; HEIF of a coding we do not know */
	{ BYTES("\0\0\0\x24" "ftypheic\0\0\0\0mif1MiHEMiPrmiafheic"), MEDIA_HEIC },
	{ BYTES("\0\0\0\x18" "ftypmif1\0\0\0\0mif1heic"), MEDIA_HEIC },
	{ BYTES("\0\0\0\x18" "ftypheix\0\0\0\0mif1heix"), MEDIA_HEIC },
	{ BYTES("\0\0\0\x1C" "ftypmsf1\0\0\0\0msf1hevcheic"), MEDIA_HEIC },
	{ BYTES("\0\0\0\x18" "ftypmif1\0\0\0\0mif1miaf"), MEDIA_HEIC },
	/* the box ends before a brand that is not its own */
	{ BYTES("\0\0\0\x14" "ftypmif1\0\0\0\0mif1avif"), MEDIA_HEIC },
	{ BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\">"), MEDIA_SVG },
	{ BYTES("<svg>"), MEDIA_SVG },
	{ BYTES("\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<svg "), MEDIA_SVG },
	{ BYTES("\n\t <?xml version=\"1.0\"?>\r\n<!-- made by > hand -->\n<!-- -->\n<svg\nwidth"), MEDIA_SVG },
	{ BYTES("<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\" [ "), MEDIA_SVG },
	{ BYTES("<svg:svg xmlns:svg=\"http://www.w3.org/2000/svg\">"), MEDIA_SVG },
	{ BYTES(""), MEDIA_NONE },
	{ BYTES("\xFF\xD8"), MEDIA_NONE },
	{ BYTES("\x89PNG\r\n\n\n"), MEDIA_NONE },
	{ BYTES("GIF90a"), MEDIA_NONE },
	{ BYTES("RIFF\x24\0\0\0WAVEfmt "), MEDIA_NONE },
	{ BYTES("RIFF\x24\0\0\0WEBP"), MEDIA_NONE },
	{ BYTES("II+\0\x10\0\0\0"), MEDIA_NONE },
	{ BYTES("\0\0\0\x18" "ftypisom\0\0\0\0isomavc1"), MEDIA_NONE },	/* an MP4 */
	{ BYTES("\0\0\0\x18" "ftypcrx \0\0\0\1crx isom"), MEDIA_NONE },	/* Canon's raw */
	{ BYTES("\0\0\0\x0C" "ftypavif\0\0\0\0"), MEDIA_NONE },		/* shorter than itself */
	{ BYTES("%PDF-1.7\n"), MEDIA_NONE },
	{ BYTES("BM\x36\0\0\0"), MEDIA_NONE },
	{ BYTES("<html><svg>"), MEDIA_NONE },
	{ BYTES("<svgz>"), MEDIA_NONE },
	{ BYTES("<svg"), MEDIA_NONE },
	{ BYTES("<!-- <svg> -->"), MEDIA_NONE },
	{ BYTES("<!-- <svg> "), MEDIA_NONE },
	{ BYTES("<?xml <svg>"), MEDIA_NONE },
	{ BYTES("<!DOCTYPE html><svg>"), MEDIA_NONE },
	{ BYTES("text <svg>"), MEDIA_NONE },
};

static void
test_recognises_real_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		enum media got = media_sniff(starts[i].bytes, starts[i].length);

		if (got != starts[i].want)
			fail_msg("case %zu: %s, want %s", i, media_extension(got),
			    media_extension(starts[i].want));
	}
}

/* Whatever is cut off, it is called what it is or nothing, and read to its end only
 * (which AddressSanitizer sees, the copy having the exact size). */
static void
test_never_calls_a_cut_start_something_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		for (size_t length = 0; length <= starts[i].length; length++) {
			unsigned char *copy = test_malloc(length);
			enum media got;

			memcpy(copy, starts[i].bytes, length);
			got = media_sniff(copy, length);
			/* Of a HEIF file that is cut before its brand we only know that much. */
			if (got != MEDIA_NONE && got != starts[i].want && got != MEDIA_HEIC)
				fail_msg("case %zu, %zu bytes: %s", i, length, media_extension(got));
			test_free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_extensions_in_any_case),
		cmocka_unit_test(test_knows_types_and_ignores_parameters),
		cmocka_unit_test(test_finds_again_what_it_names),
		cmocka_unit_test(test_recognises_real_signatures),
		cmocka_unit_test(test_never_calls_a_cut_start_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
