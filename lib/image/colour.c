/*
 * colour - everything becomes 8 bits of sRGB, without a profile.
 *
 * Browsers take untagged pictures for sRGB, and a profile would be 7 kB in each
 * thumbnail.  Done by hand and not by vips_thumbnail(), because in 8.14.1 that
 * ignores the profile of a CMYK picture (CMYK2XYZ.c; fixed in 8.14.3) and turns
 * untagged pictures slightly red (libvips issue 3479).
 */
#include "image/pipeline.h"

#include <string.h>

/* By what the decoder says, not by the number of bands: RGBA has four too. */
static bool
is_cmyk(VipsImage *image)
{
	return vips_image_get_interpretation(image) == VIPS_INTERPRETATION_CMYK;
}

static bool
has_profile(VipsImage *image)
{
	return vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
}

/*
 * By the embedded profile where there is one that fits, else by the one that
 * such pictures are most likely meant for.  Never with an alpha band: 8.14.1
 * can crash on it (fixed in 8.14.5).
 */
static bool
transform(VipsImage **colours, struct failure *why)
{
	const char *assumed = is_cmyk(*colours) ? "cmyk" : "srgb";
	VipsImage *srgb;

	if (vips_icc_transform(*colours, &srgb, "srgb", "embedded", TRUE, "input_profile", assumed,
	    "intent", VIPS_INTENT_RELATIVE, "depth", 8, NULL) == -1)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "colour profile");
	image_replace(colours, srgb);
	return true;
}

/* A grey picture with a profile for RGB, or one that no parser takes: browsers
 * ignore such a profile, and so do we. */
static bool
drop_profile(VipsImage **image, struct failure *why)
{
	VipsImage *copy;

	if (vips_copy(*image, &copy, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "copy");
	image_replace(image, copy);
	vips_image_remove(*image, VIPS_META_ICC_NAME);
	return true;
}

/* Whether it is for as many channels as there are.  Bytes 16 to 19 of a profile
 * name its colour space (ICC.1:2022 section 7.2.6). */
static bool
profile_fits(VipsImage *colours)
{
	static const struct {
		int bands;
		const char *space;
	} spaces[] = { { 1, "GRAY" }, { 3, "RGB " }, { 3, "Lab " }, { 4, "CMYK" } };
	enum { SPACE_AT = 16, HEADER_BYTES = 128 };
	const void *profile;
	size_t length;

	if (vips_image_get_blob(colours, VIPS_META_ICC_NAME, &profile, &length) == -1) {
		vips_error_clear();
		return false;
	}
	for (size_t i = 0; length >= HEADER_BYTES && i < G_N_ELEMENTS(spaces); i++)
		if (spaces[i].bands == vips_image_get_bands(colours) &&
		    memcmp((const char *)profile + SPACE_AT, spaces[i].space, 4) == 0)
			return true;
	return false;
}

/* Without a profile: from 16 bits, Lab, scRGB and the like.  Grey stays grey. */
static bool
convert(VipsImage **image, struct failure *why)
{
	VipsInterpretation from = vips_image_get_interpretation(*image);
	bool is_grey = vips_image_get_bands(*image) < 3;
	VipsInterpretation to = is_grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
	VipsImage *converted;

	if (from == to && vips_image_get_format(*image) == VIPS_FORMAT_UCHAR)
		return true;
	if (vips_colourspace(*image, &converted, to, NULL) == -1)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "colour space");
	image_replace(image, converted);
	return true;
}

/* The bands of colour and, when there is one, alpha as 8 bits. */
static bool
split_alpha(VipsImage *image, VipsImage **colours, VipsImage **alpha, struct failure *why)
{
	int bands = vips_image_get_bands(image);
	VipsImage *wide;
	bool is_cast;

	*alpha = NULL;
	if (!vips_image_hasalpha(image)) {
		*colours = g_object_ref(image);
		return true;
	}
	if (vips_extract_band(image, &wide, bands - 1, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	/* Shift: 65535 of 16 bits is 255 of 8. */
	is_cast = vips_cast(wide, alpha, VIPS_FORMAT_UCHAR, "shift", TRUE, NULL) == 0;
	g_object_unref(wide);
	if (!is_cast)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	if (vips_extract_band(image, colours, 0, "n", bands - 1, NULL) == -1) {
		g_clear_object(alpha);
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	}
	return true;
}

static bool
join_alpha(VipsImage **colours, VipsImage *alpha, struct failure *why)
{
	VipsImage *joined;

	if (alpha == NULL)
		return true;
	if (vips_bandjoin2(*colours, alpha, &joined, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(colours, joined);
	return true;
}

static bool
colours_to_srgb(VipsImage **colours, struct failure *why)
{
	if (has_profile(*colours) && !profile_fits(*colours) && !drop_profile(colours, why))
		return false;
	if (is_cmyk(*colours) || has_profile(*colours))
		return transform(colours, why);
	return convert(colours, why);
}

bool
picture_to_colour_space(VipsImage **image, enum recipe_icc icc, struct failure *why)
{
	VipsImage *colours, *alpha;
	bool is_done;

	(void)icc;
	if (!is_cmyk(*image) && !has_profile(*image))
		return convert(image, why);
	if (!split_alpha(*image, &colours, &alpha, why))
		return false;
	image_replace(image, colours);
	is_done = colours_to_srgb(image, why) && join_alpha(image, alpha, why);
	g_clear_object(&alpha);
	return is_done;
}
