#include "image/quality.h"

#include "base/check.h"
#include "image/similarity.h"

#include <math.h>

enum { PART_PIXELS = 1 << 20 };

/* Where q=auto looks: below, smooth areas fall into blocks, which the mean over a
 * picture hides; above, nobody sees a difference. */
static const struct {
	unsigned lowest, highest;
} bounds[MEDIA_COUNT] = {
	[MEDIA_JPEG] = { 50, 90 },
	[MEDIA_WEBP] = { 50, 90 },
	[MEDIA_AVIF] = { 32, 72 },
	[MEDIA_JXL] = { 50, 90 },
};

/* ---- brightness --------------------------------------------------------------------------------- */

/* Luma of ITU-R BT.601 of one pixel; what is transparent is seen on grey. */
static uint8_t
luma_of(const uint8_t *pixel, int bands)
{
	enum { GREY = 128 };
	bool is_grey = bands < 3, has_alpha = bands % 2 == 0;
	unsigned luma = is_grey ? pixel[0] : (299U * pixel[0] + 587U * pixel[1] + 114U * pixel[2] + 500) / 1000;
	unsigned alpha = has_alpha ? pixel[bands - 1] : 255;

	return (uint8_t)((luma * alpha + GREY * (255 - alpha) + 127) / 255);
}

static bool
luma_init(struct luma *luma, VipsImage *image, struct failure *why)
{
	int bands = vips_image_get_bands(image);
	size_t length;
	uint8_t *pixels = vips_image_write_to_memory(image, &length);

	if (pixels == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "reading the picture");
	*luma = (struct luma){ pixels, (unsigned)vips_image_get_width(image), (unsigned)vips_image_get_height(image) };
	CHECK(length == (size_t)luma->width * luma->height * (size_t)bands);
	/* In its place: a pixel is never shorter than its luma. */
	for (size_t i = 0; i < (size_t)luma->width * luma->height; i++)
		pixels[i] = luma_of(pixels + i * (size_t)bands, bands);
	return true;
}

static void
luma_release(struct luma *luma)
{
	g_free(luma->pixels);
}

static bool
decode(const struct draft *draft, enum media format, VipsImage **image, struct failure *why)
{
	void *bytes = draft->bytes->data;
	size_t length = draft->bytes->len;
	bool is_open =
	    (format == MEDIA_JPEG && vips_jpegload_buffer(bytes, length, image, NULL) == 0) ||
	    (format == MEDIA_WEBP && vips_webpload_buffer(bytes, length, image, NULL) == 0) ||
	    (format == MEDIA_AVIF && vips_heifload_buffer(bytes, length, image, NULL) == 0) ||
	    (format == MEDIA_JXL && vips_jxlload_buffer(bytes, length, image, NULL) == 0);

	return is_open || fail_from_vips(why, FAIL_INTERNAL, "decoding the result");
}

static bool
draft_similarity(const struct draft *draft, enum media format, const struct luma *picture, double *similarity,
    struct failure *why)
{
	VipsImage *image;
	struct luma decoded;
	bool is_read;

	if (!decode(draft, format, &image, why))
		return false;
	is_read = luma_init(&decoded, image, why);
	g_object_unref(image);
	if (!is_read)
		return false;
	*similarity = similarity_of(picture, &decoded);
	luma_release(&decoded);
	return true;
}

/* ---- q=auto --------------------------------------------------------------------------------------- */

static void
exchange(struct draft *one, struct draft *other)
{
	struct draft kept = *one;

	*one = *other;
	*other = kept;
}

/* The middle, in the picture's shape; all of it when that is small enough. */
static bool
take_part(VipsImage *image, VipsImage **part, struct failure *why)
{
	int width = vips_image_get_width(image), height = vips_image_get_height(image);
	double scale = sqrt((double)PART_PIXELS / ((double)width * height));
	int part_width = VIPS_MAX(SIMILARITY_WINDOW, (int)(width * scale));
	int part_height = VIPS_MAX(SIMILARITY_WINDOW, (int)(height * scale));

	if (scale >= 1) {
		*part = g_object_ref(image);
		return true;
	}
	if (vips_extract_area(image, part, (width - part_width) / 2, (height - part_height) / 2, part_width,
	    part_height, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "taking a part");
	return true;
}

/* Sets settings->quality, and leaves in *draft the part at the quality *made: 0 for none. */
static bool
search_similar(VipsImage *part, const struct luma *picture, struct encoder_settings *settings,
    struct draft *draft, unsigned *made, struct failure *why)
{
	unsigned low = bounds[settings->format].lowest, high = bounds[settings->format].highest;
	struct draft trial;
	double similarity = 0;
	bool is_alive = true;

	*made = 0;
	draft_init(&trial, draft->max_bytes);
	for (unsigned tries = 0; tries < QUALITY_TRIES && low < high && is_alive; tries++) {
		settings->quality = (low + high) / 2;
		is_alive = encoder_write(part, settings, &trial, why) &&
		    draft_similarity(&trial, settings->format, picture, &similarity, why);
		if (similarity < QUALITY_TARGET) {
			low = settings->quality + 1;
		} else {
			high = *made = settings->quality;
			exchange(draft, &trial);
		}
	}
	draft_release(&trial);
	settings->quality = high;
	return is_alive;
}

bool
quality_find_similar(VipsImage *image, struct encoder_settings *settings, struct draft *draft,
    struct failure *why)
{
	struct luma picture;
	VipsImage *part;
	unsigned made = 0;
	bool is_found, is_whole;

	if (vips_image_get_width(image) < SIMILARITY_WINDOW || vips_image_get_height(image) < SIMILARITY_WINDOW)
		return encoder_write(image, settings, draft, why);
	if (!take_part(image, &part, why))
		return false;
	is_whole = part == image;
	is_found = luma_init(&picture, part, why);
	if (is_found) {
		is_found = search_similar(part, &picture, settings, draft, &made, why);
		luma_release(&picture);
	}
	g_object_unref(part);
	if (!is_found || (is_whole && made == settings->quality))
		return is_found;
	return encoder_write(image, settings, draft, why);
}

/* ---- max-bytes ------------------------------------------------------------------------------------- */

/* What is lowered: the quality, or else the number of colours. */
static unsigned *
level_of(struct encoder_settings *settings)
{
	return encoder_has_quality(settings) ? &settings->quality : &settings->colours;
}

enum quality_answer
quality_find_fitting(VipsImage *image, struct encoder_settings *settings, uint64_t max_bytes, struct draft *draft,
    struct failure *why)
{
	unsigned low = encoder_has_quality(settings) ? QUALITY_FLOOR : COLOURS_FLOOR;
	unsigned high = *level_of(settings), best = 0;
	enum quality_answer answer = QUALITY_TOO_LARGE;
	struct draft trial;

	draft_init(&trial, draft->max_bytes);
	for (unsigned tries = 1; tries <= QUALITY_FIT_TRIES && low < high && answer != QUALITY_FAILED; tries++) {
		/* The last try, when nothing has fitted yet, is for the lowest. */
		unsigned level = best == 0 && tries == QUALITY_FIT_TRIES ? low : (low + high - 1) / 2;

		*level_of(settings) = level;
		if (!encoder_write(image, settings, &trial, why) && !trial.is_too_large) {
			answer = QUALITY_FAILED;
			continue;
		}
		failure_clear(why);
		if (trial.is_too_large || trial.bytes->len > max_bytes) {
			high = level;
			if (best == 0)
				exchange(draft, &trial);
		} else {
			low = level + 1;
			best = level;
			answer = QUALITY_FITS;
			exchange(draft, &trial);
		}
	}
	draft_release(&trial);
	if (best != 0)
		*level_of(settings) = best;
	return answer;
}
