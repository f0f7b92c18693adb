/*
 * portrait - how a picture looks, in a few bytes.
 *
 * The first frame is made into a miniature by the steps that make every
 * variant, so colours, orientation and damage are found here as they are there.
 * All the rest follows from the miniature: palette.c, blurhash.c, thumbhash.c,
 * and the placeholder below.
 */
#include "image/pipeline.h"

#include "base/check.h"
#include "image/miniature.h"
#include "image/riff.h"

#include <string.h>

#define PLACEHOLDER_START "data:image/webp;base64,"

enum {
	WHITE = 255,
	PLACEHOLDER_SIDE = 24,		/* pixels of the longer side, */
	PLACEHOLDER_STEP = 2,		/* or so many less, until it is small enough */
	PLACEHOLDER_QUALITY = 50,
	PLACEHOLDER_EFFORT = 6
};

/* ---- the miniature --------------------------------------------------------------- */

static bool
copy_pixels(VipsImage *image, struct miniature *miniature, struct failure *why)
{
	size_t size;
	void *pixels = vips_image_write_to_memory(image, &size);

	if (pixels == NULL)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	miniature->width = (unsigned)vips_image_get_width(image);
	miniature->height = (unsigned)vips_image_get_height(image);
	CHECK(size <= sizeof(miniature->pixels));
	CHECK(size == sizeof(miniature->pixels[0]) * miniature->width * miniature->height);
	memcpy(miniature->pixels, pixels, size);
	g_free(pixels);
	return true;
}

static bool
make_miniature(const struct source *source, struct miniature *miniature, struct failure *why)
{
	const struct image_description *description = &source->description;
	struct geometry_source size;
	struct geometry geometry;
	struct recipe recipe;
	VipsImage *image;
	bool is_made;

	recipe_init(&recipe);
	recipe.width = recipe.height = MINIATURE_SIDE_MAX;
	recipe.gravity = GRAVITY_CENTRE;
	geometry_source_init(&size, &recipe, description->width, description->height, description->orientation,
	    description->media);
	if (!geometry_plan(&recipe, &size, &geometry, why) || !source_load(source, &geometry, &image, why))
		return false;
	is_made = picture_scale(&image, description, &recipe, &geometry, why) &&
	    picture_decode(&image, why) &&
	    picture_to_colour_space(&image, recipe.icc, why) &&
	    picture_turn(&image, description->orientation, &recipe, &geometry, MEDIA_PNG, why) &&
	    picture_to_rgb(&image, why) &&
	    picture_add_alpha(&image, why) &&
	    copy_pixels(image, miniature, why);
	g_object_unref(image);
	return is_made;
}

static void
put_on_white(struct miniature *miniature)
{
	for (unsigned i = 0; i < miniature->width * miniature->height; i++) {
		uint8_t *pixel = miniature->pixels[i];
		unsigned alpha = pixel[3];

		for (unsigned c = 0; c < 3; c++)
			pixel[c] = (uint8_t)((pixel[c] * alpha + WHITE * (255 - alpha) + 127) / 255);
		pixel[3] = 255;
	}
}

/* ---- the placeholder ------------------------------------------------------------- */

/* The miniature's colours; the pixels stay where they are. */
static bool
open_miniature(const struct miniature *miniature, VipsImage **image, struct failure *why)
{
	VipsImage *opaque = vips_image_new_from_memory(miniature->pixels,
	    sizeof(miniature->pixels[0]) * miniature->width * miniature->height, (int)miniature->width,
	    (int)miniature->height, 4, VIPS_FORMAT_UCHAR);
	bool is_open;

	if (opaque == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "placeholder");
	is_open = vips_extract_band(opaque, image, 0, "n", 3, NULL) == 0;
	g_object_unref(opaque);
	return is_open || fail_from_vips(why, FAIL_INTERNAL, "placeholder");
}

static unsigned
scaled_side(unsigned side, unsigned longer, unsigned wanted)
{
	unsigned scaled = (side * wanted + longer / 2) / longer;

	return scaled > 0 ? scaled : 1;
}

/* As a data: URI, if that is small enough. */
static bool
print_webp(VipsImage *image, char placeholder[PORTRAIT_PLACEHOLDER_MAX + 1], bool *fits, struct failure *why)
{
	size_t length;
	char *text;
	void *file;

	if (vips_webpsave_buffer(image, &file, &length, "Q", PLACEHOLDER_QUALITY, "effort", PLACEHOLDER_EFFORT,
	    NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "placeholder");
	text = g_base64_encode(file, riff_remove_exif(file, length));
	*fits = strlen(PLACEHOLDER_START) + strlen(text) <= PORTRAIT_PLACEHOLDER_MAX;
	if (*fits)
		g_snprintf(placeholder, PORTRAIT_PLACEHOLDER_MAX + 1, "%s%s", PLACEHOLDER_START, text);
	g_free(text);
	g_free(file);
	return true;
}

static bool
make_placeholder(const struct miniature *miniature, unsigned wanted, char placeholder[PORTRAIT_PLACEHOLDER_MAX + 1],
    bool *fits, struct failure *why)
{
	unsigned longer = MAX(miniature->width, miniature->height), side = MIN(longer, wanted);
	VipsImage *image;
	bool is_made;

	if (!open_miniature(miniature, &image, why))
		return false;
	is_made = picture_resize(&image, scaled_side(miniature->width, longer, side),
	    scaled_side(miniature->height, longer, side), why) && print_webp(image, placeholder, fits, why);
	g_object_unref(image);
	return is_made;
}

static bool
find_placeholder(const struct miniature *miniature, char placeholder[PORTRAIT_PLACEHOLDER_MAX + 1],
    struct failure *why)
{
	bool fits = false;

	for (unsigned side = PLACEHOLDER_SIDE; side > 0 && !fits; side -= PLACEHOLDER_STEP)
		if (!make_placeholder(miniature, side, placeholder, &fits, why))
			return false;
	CHECK(fits);	/* two by two pixels take less, whatever they are */
	return true;
}

/* ---- the portrait ---------------------------------------------------------------- */

static void
find_thumbhash(const struct miniature *miniature, char thumbhash[PORTRAIT_THUMBHASH_MAX + 1])
{
	uint8_t bytes[THUMBHASH_BYTES_MAX];
	char *text = g_base64_encode(bytes, miniature_thumbhash(miniature, bytes));

	g_strlcpy(thumbhash, text, PORTRAIT_THUMBHASH_MAX + 1);
	g_free(text);
}

bool
source_portray(const struct source *source, struct image_portrait *portrait, struct failure *why)
{
	struct miniature miniature;

	*portrait = (struct image_portrait){ 0 };
	if (!make_miniature(source, &miniature, why))
		return false;
	find_thumbhash(&miniature, portrait->thumbhash);
	put_on_white(&miniature);
	portrait->palette_count = miniature_palette(&miniature, portrait->palette);
	memcpy(portrait->dominant, portrait->palette[0], sizeof(portrait->dominant));
	miniature_blurhash(&miniature, portrait->blurhash);
	return find_placeholder(&miniature, portrait->placeholder, why);
}
