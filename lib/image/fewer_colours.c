#include "image/fewer_colours.h"

#include "base/check.h"
#include "image/fields.h"

#include <math.h>
#include <string.h>

enum { BANDS_MAX = 4, BUCKETS = 4 * COLOURS_MAX };

struct colour {
	uint8_t bytes[BANDS_MAX];
	double mean[BANDS_MAX];		/* of all that were merged into it */
	double pixels;			/* 0: there is none, or it was merged */
	unsigned into;			/* its own place, or that of the colour it was merged into */
};

struct colours {
	struct colour all[COLOURS_MAX];
	unsigned count, left;
	int bands;
	/* Where a colour stands in all[], plus 1, by its hash; 0: nowhere. */
	uint16_t buckets[BUCKETS];
};

/* ---- which colours there are ------------------------------------------------------------ */

static unsigned
bucket_of(const struct colours *colours, const uint8_t *pixel)
{
	uint32_t hash = 2166136261U;	/* FNV-1a */

	for (int i = 0; i < colours->bands; i++)
		hash = (hash ^ pixel[i]) * 16777619U;
	return hash % BUCKETS;
}

/* NULL: one more than there can be. */
static struct colour *
colour_of(struct colours *colours, const uint8_t *pixel)
{
	unsigned bucket = bucket_of(colours, pixel);
	struct colour *colour;

	for (; colours->buckets[bucket] != 0; bucket = (bucket + 1) % BUCKETS) {
		colour = &colours->all[colours->buckets[bucket] - 1];
		if (memcmp(colour->bytes, pixel, (size_t)colours->bands) == 0)
			return colour;
	}
	if (colours->count == COLOURS_MAX)
		return NULL;
	colour = &colours->all[colours->count];
	memcpy(colour->bytes, pixel, (size_t)colours->bands);
	for (int i = 0; i < colours->bands; i++)
		colour->mean[i] = pixel[i];
	colour->into = colours->count++;
	colours->buckets[bucket] = (uint16_t)colours->count;
	return colour;
}

static bool
count_colours(struct colours *colours, const uint8_t *pixels, size_t length, struct failure *why)
{
	for (size_t at = 0; at < length; at += (size_t)colours->bands) {
		struct colour *colour = colour_of(colours, pixels + at);

		if (colour == NULL)
			return fail(why, FAIL_INTERNAL, "more than %d colours in a palette", COLOURS_MAX);
		colour->pixels++;
	}
	colours->left = colours->count;
	return true;
}

/* ---- fewer of them ------------------------------------------------------------------------ */

/* How much more the pixels differ from their colour when both become their mean. */
static double
cost_of_merging(const struct colours *colours, const struct colour *one, const struct colour *other)
{
	double distance = 0;

	for (int i = 0; i < colours->bands; i++)
		distance += (one->mean[i] - other->mean[i]) * (one->mean[i] - other->mean[i]);
	return distance * one->pixels * other->pixels / (one->pixels + other->pixels);
}

static void
merge(struct colours *colours, struct colour *kept, struct colour *merged)
{
	double pixels = kept->pixels + merged->pixels;

	for (int i = 0; i < colours->bands; i++)
		kept->mean[i] = (kept->mean[i] * kept->pixels + merged->mean[i] * merged->pixels) / pixels;
	kept->pixels = pixels;
	merged->pixels = 0;
	merged->into = kept->into;
	colours->left--;
}

static void
merge_the_nearest(struct colours *colours)
{
	struct colour *one = NULL, *other = NULL;
	double least = INFINITY;

	for (unsigned i = 0; i < colours->count; i++)
		for (unsigned j = i + 1; colours->all[i].pixels > 0 && j < colours->count; j++) {
			double cost = colours->all[j].pixels == 0 ? INFINITY :
			    cost_of_merging(colours, &colours->all[i], &colours->all[j]);

			if (cost < least) {
				least = cost;
				one = &colours->all[i];
				other = &colours->all[j];
			}
		}
	CHECK(one != NULL);
	merge(colours, one, other);
}

static void
replace_colours(struct colours *colours, uint8_t *pixels, size_t length)
{
	for (size_t at = 0; at < length; at += (size_t)colours->bands) {
		const struct colour *colour = colour_of(colours, pixels + at);

		while (colour->into != (unsigned)(colour - colours->all))
			colour = &colours->all[colour->into];
		for (int i = 0; i < colours->bands; i++)
			pixels[at + (size_t)i] = (uint8_t)lround(colour->mean[i]);
	}
}

/* ---- the picture ---------------------------------------------------------------------------- */

/* By way of a PNG with a palette: libvips does not hand out its quantiser alone. */
static bool
quantise(VipsImage *image, uint8_t **pixels, size_t *length, int *bands, struct failure *why)
{
	void *png;
	size_t png_bytes;
	VipsImage *quantised;

	if (vips_pngsave_buffer(image, &png, &png_bytes, "palette", TRUE, "bitdepth", 8, "compression", 1,
	    "strip", TRUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "palette");
	if (vips_pngload_buffer(png, png_bytes, &quantised, NULL) == 0) {
		*bands = vips_image_get_bands(quantised);
		*pixels = vips_image_write_to_memory(quantised, length);
		g_object_unref(quantised);
	}
	g_free(png);
	return *pixels != NULL || fail_from_vips(why, FAIL_INTERNAL, "palette");
}

static bool
make_image(VipsImage *like, const uint8_t *pixels, size_t length, int bands, VipsImage **image, struct failure *why)
{
	VipsImage *plain = vips_image_new_from_memory_copy(pixels, length, vips_image_get_width(like),
	    vips_image_get_height(like), bands, VIPS_FORMAT_UCHAR);
	bool is_made;

	if (plain == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "palette");
	is_made = vips_copy(plain, image, "interpretation",
	    bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, "xres", vips_image_get_xres(like),
	    "yres", vips_image_get_yres(like), NULL) == 0;
	g_object_unref(plain);
	if (!is_made)
		return fail_from_vips(why, FAIL_INTERNAL, "palette");
	fields_copy(*image, like);
	return true;
}

bool
picture_to_fewer_colours(VipsImage *image, unsigned colour_count, VipsImage **reduced, struct failure *why)
{
	struct colours colours = { 0 };
	uint8_t *pixels = NULL;
	size_t length;
	bool is_made;

	CHECK(colour_count >= 2 && colour_count <= COLOURS_MAX);
	if (!quantise(image, &pixels, &length, &colours.bands, why))
		return false;
	is_made = count_colours(&colours, pixels, length, why);
	if (is_made) {
		while (colours.left > colour_count)
			merge_the_nearest(&colours);
		replace_colours(&colours, pixels, length);
		is_made = make_image(image, pixels, length, colours.bands, reduced, why);
	}
	g_free(pixels);
	return is_made;
}
