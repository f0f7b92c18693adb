/*
 * turn - which way up: EXIF orientation, rot, flip.
 */
#include "image/pipeline.h"

static bool
orient(VipsImage **image, unsigned orientation, struct failure *why)
{
	VipsImage *tagged, *upright;

	if (orientation == 1)
		return true;
	/* An SVG or a HEIC may carry a tag that does not hold: say which one does. */
	if (vips_copy(*image, &tagged, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "copy");
	image_replace(image, tagged);
	vips_image_set_int(*image, VIPS_META_ORIENTATION, (int)orientation);
	if (vips_autorot(*image, &upright, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "orientation");
	image_replace(image, upright);
	return true;
}

bool
picture_turn(VipsImage **image, unsigned orientation, const struct recipe *recipe,
    const struct geometry *geometry, enum media format, struct failure *why)
{
	(void)recipe, (void)geometry, (void)format;
	return orient(image, orientation, why);
}
