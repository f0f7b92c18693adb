/*
 * colour - everything becomes 8 bits: of sRGB without a profile, of Display P3, or
 * of the space that the original brought along.
 *
 * Browsers take untagged pictures for sRGB, and a profile would be 7 kB in each
 * thumbnail.  Done by hand and not by vips_thumbnail(), because in 8.14.1 that
 * ignores the profile of a CMYK picture (CMYK2XYZ.c; fixed in 8.14.3) and turns
 * untagged pictures slightly red (libvips issue 3479).  Later steps work on the
 * numbers as they are, whatever space they are in.
 */
#include "image/pipeline.h"

#include <string.h>

/* A matrix and three curves have under 4 kB; this is room for tables too. */
enum { PROFILE_KEPT_MAX = 1 << 20 };

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
transform(VipsImage **colours, const char *space, struct failure *why)
{
	const char *assumed = is_cmyk(*colours) ? "cmyk" : "srgb";
	VipsImage *transformed;

	if (vips_icc_transform(*colours, &transformed, space, "embedded", TRUE, "input_profile", assumed,
	    "intent", VIPS_INTENT_RELATIVE, "depth", 8, NULL) == -1)
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "colour profile");
	image_replace(colours, transformed);
	return true;
}

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

static int
colour_bands(VipsImage *image)
{
	return vips_image_get_bands(image) - (vips_image_hasalpha(image) ? 1 : 0);
}

/* Whether it is for as many channels as there are.  Bytes 16 to 19 of a profile
 * name its colour space (ICC.1:2022 section 7.2.6). */
static bool
profile_fits(VipsImage *image)
{
	static const struct {
		int bands;
		const char *space;
	} spaces[] = { { 1, "GRAY" }, { 3, "RGB " }, { 3, "Lab " }, { 4, "CMYK" } };
	enum { SPACE_AT = 16, HEADER_BYTES = 128 };
	const void *profile;
	size_t length;

	if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &length) == -1) {
		vips_error_clear();
		return false;
	}
	for (size_t i = 0; length >= HEADER_BYTES && i < G_N_ELEMENTS(spaces); i++)
		if (spaces[i].bands == colour_bands(image) &&
		    memcmp((const char *)profile + SPACE_AT, spaces[i].space, 4) == 0)
			return true;
	return false;
}

bool
picture_has_profile(VipsImage *image)
{
	return has_profile(image) && profile_fits(image);
}

/* vips_colourspace() leaves alone what is in its space already, also a TIFF's floating point
 * and 32 bits.  Of the former, which may mean anything, 0 to 255 is what counts. */
static bool
to_eight_bits(VipsImage **image, struct failure *why)
{
	VipsImage *cast;

	if (vips_image_get_format(*image) == VIPS_FORMAT_UCHAR)
		return true;
	if (vips_cast(*image, &cast, VIPS_FORMAT_UCHAR, "shift", TRUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "cast");
	image_replace(image, cast);
	return true;
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
	return to_eight_bits(image, why);
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

/* From here on the image is what its numbers say in sRGB. */
static bool
colours_to_srgb(VipsImage **colours, struct failure *why)
{
	if (!is_cmyk(*colours) && !has_profile(*colours))
		return convert(colours, why);
	return transform(colours, "srgb", why) && drop_profile(colours, why);
}

/* Of three bands, whatever it was: the profile is for RGB. */
static bool
colours_to_p3(VipsImage **colours, struct failure *why)
{
	if (!is_cmyk(*colours) && !has_profile(*colours) &&
	    (!convert(colours, why) || !picture_to_rgb(colours, why)))
		return false;
	return transform(colours, "p3", why);
}

/* A profile of RGB or grey, which a colour engine takes. */
static bool
can_be_kept(VipsImage *colours)
{
	const void *profile;
	size_t length;
	int bands = vips_image_get_bands(colours);
	VipsBandFormat format = vips_image_get_format(colours);

	if ((bands != 1 && bands != 3) || (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) ||
	    vips_image_get_interpretation(colours) == VIPS_INTERPRETATION_LAB || !has_profile(colours) ||
	    vips_image_get_blob(colours, VIPS_META_ICC_NAME, &profile, &length) == -1)
		return false;
	return length <= PROFILE_KEPT_MAX && vips_icc_is_compatible_profile(colours, profile, length);
}

/* The upper half of 16 bits. */
static bool
keep_eight_bits(VipsImage **colours, struct failure *why)
{
	bool is_grey = vips_image_get_bands(*colours) == 1;
	VipsImage *named;

	if (!to_eight_bits(colours, why))
		return false;
	if (vips_copy(*colours, &named, "interpretation",
	    is_grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "copy");
	image_replace(colours, named);
	return true;
}

static bool
colours_to(VipsImage **colours, enum recipe_icc icc, struct failure *why)
{
	/* A grey picture with a profile for RGB, or one that no parser takes:
	 * browsers ignore such a profile, and so do we. */
	if (has_profile(*colours) && !profile_fits(*colours) && !drop_profile(colours, why))
		return false;
	if (icc == ICC_P3)
		return colours_to_p3(colours, why);
	if (icc == ICC_KEEP && can_be_kept(*colours))
		return keep_eight_bits(colours, why);
	return colours_to_srgb(colours, why);
}

bool
picture_to_colour_space(VipsImage **image, enum recipe_icc icc, struct failure *why)
{
	VipsImage *colours, *alpha;
	bool is_done;

	if (icc != ICC_P3 && !is_cmyk(*image) && !has_profile(*image))
		return convert(image, why);
	if (!split_alpha(*image, &colours, &alpha, why))
		return false;
	image_replace(image, colours);
	is_done = colours_to(image, icc, why) && join_alpha(image, alpha, why);
	g_clear_object(&alpha);
	return is_done;
}

/* What each of 256 levels of grey is in sRGB. */
static bool
grey_curve(VipsImage *grey, VipsImage **curve, struct failure *why)
{
	const void *profile;
	size_t length;
	VipsImage *levels;
	bool is_made;

	if (vips_image_get_blob(grey, VIPS_META_ICC_NAME, &profile, &length) == -1 ||
	    vips_identity(&levels, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "colour profile");
	vips_image_set_blob_copy(levels, VIPS_META_ICC_NAME, profile, length);
	is_made = transform(&levels, "srgb", why);
	if (is_made && vips_extract_band(levels, curve, 0, NULL) == -1)
		is_made = fail_from_vips(why, FAIL_INTERNAL, "colour profile");
	g_object_unref(levels);
	return is_made;
}

static bool
apply_grey_curve(VipsImage **colours, struct failure *why)
{
	VipsImage *curve, *mapped;
	bool is_mapped;

	if (!grey_curve(*colours, &curve, why))
		return false;
	is_mapped = vips_maplut(*colours, &mapped, curve, NULL) == 0;
	g_object_unref(curve);
	if (!is_mapped)
		return fail_from_vips(why, FAIL_INTERNAL, "colour profile");
	image_replace(colours, mapped);
	return true;
}

bool
picture_settle_profile(VipsImage **image, struct failure *why)
{
	VipsImage *colours, *alpha;
	bool is_done;

	if (!has_profile(*image) || profile_fits(*image))
		return true;
	if (colour_bands(*image) == 1)
		return picture_to_rgb(image, why);
	if (!split_alpha(*image, &colours, &alpha, why))
		return false;
	image_replace(image, colours);
	is_done = apply_grey_curve(image, why) && drop_profile(image, why) && join_alpha(image, alpha, why);
	g_clear_object(&alpha);
	return is_done;
}
