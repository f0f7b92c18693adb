/*
 * opaque - alpha channels that say nothing.
 *
 * Many programs write PNGs with an alpha channel that is opaque everywhere.  To weigh colours by it
 * while they are mixed takes longer than all the rest, and it is a quarter of the memory.
 */
#include "image/pipeline.h"

#include <string.h>

enum { STRIP_ROWS = 16 };

/* A picture on its way into memory, row by row; without alpha as long as that is opaque. */
struct copying {
	VipsImage *to;
	void *memory;		/* of the caller's, or NULL */
	size_t width, from_bands;
};

/* The rows are written where they belong, in any order. */
static bool
begin(struct copying *copying, VipsImage *like, int bands)
{
	VipsImage *to = picture_in(copying->memory, like);

	if (to == NULL)
		return false;
	to->Bands = bands;
	g_clear_object(&copying->to);
	copying->to = to;
	return vips_image_write_prepare(to) == 0;
}

static bool
has_alpha(const struct copying *copying)
{
	return (size_t)copying->to->Bands == copying->from_bands;
}

static bool
is_opaque(const struct copying *copying, const VipsPel *row)
{
	VipsPel lowest = OPAQUE;

	for (size_t x = 0; x < copying->width; x++)
		lowest &= row[(x + 1) * copying->from_bands - 1];
	return lowest == OPAQUE;
}

static void
add_alpha(const struct copying *copying, const VipsPel *colours, VipsPel *row)
{
	const size_t bands = copying->from_bands;

	for (size_t x = 0; x < copying->width; x++) {
		memcpy(row + x * bands, colours + x * (bands - 1), bands - 1);
		row[(x + 1) * bands - 1] = OPAQUE;
	}
}

/* There is something to be seen after all.  Rows above y are there already, perhaps in the same memory: the
 * last goes first, because each needs more room than it had. */
static bool
begin_anew_with_alpha(struct copying *copying, int y)
{
	VipsImage *without = g_object_ref(copying->to);
	VipsPel *row = g_malloc(VIPS_IMAGE_SIZEOF_LINE(without));
	bool is_begun = begin(copying, without, (int)copying->from_bands);

	while (is_begun && y-- > 0) {
		memcpy(row, VIPS_IMAGE_ADDR(without, 0, y), VIPS_IMAGE_SIZEOF_LINE(without));
		add_alpha(copying, row, VIPS_IMAGE_ADDR(copying->to, 0, y));
	}
	g_free(row);
	g_object_unref(without);
	return is_begun;
}

/* Inline: see halve.c. */
static inline void
take_colours(const VipsPel *from, VipsPel *row, size_t width, size_t colours)
{
	for (size_t x = 0; x < width; x++, from++)
		for (size_t band = 0; band < colours; band++)
			*row++ = *from++;
}

static bool
copy_row(struct copying *copying, const VipsPel *from, int y)
{
	VipsPel *row;

	if (!has_alpha(copying) && !is_opaque(copying, from) && !begin_anew_with_alpha(copying, y))
		return false;
	row = VIPS_IMAGE_ADDR(copying->to, 0, y);
	if (has_alpha(copying))
		memcpy(row, from, copying->width * copying->from_bands);
	else if (copying->from_bands == 4)
		take_colours(from, row, copying->width, 3);
	else
		take_colours(from, row, copying->width, 1);
	return true;
}

static bool
copy(struct copying *copying, VipsImage *image)
{
	VipsRegion *from = vips_region_new(image);
	bool is_copied = begin(copying, image, vips_image_get_bands(image) - 1);

	for (int y = 0; is_copied && y < image->Ysize; y++) {
		VipsRect strip = { 0, y, image->Xsize, VIPS_MIN(STRIP_ROWS, image->Ysize - y) };

		is_copied = (y % STRIP_ROWS != 0 || vips_region_prepare(from, &strip) == 0) &&
		    copy_row(copying, VIPS_REGION_ADDR(from, 0, y), y);
	}
	g_object_unref(from);
	return is_copied;
}

static bool
copy_all(struct copying *copying, VipsImage *image)
{
	copying->to = picture_in(copying->memory, image);
	return copying->to != NULL && vips_image_write(image, copying->to) == 0;
}

bool
picture_decode_colours(VipsImage **image, void *memory, struct failure *why)
{
	struct copying copying = {
		.memory = memory,
		.width = (size_t)vips_image_get_width(*image),
		.from_bands = (size_t)vips_image_get_bands(*image),
	};
	bool may_drop_alpha = vips_image_hasalpha(*image) && picture_is_plain(*image);

	if (!(may_drop_alpha ? copy(&copying, *image) : copy_all(&copying, *image))) {
		g_clear_object(&copying.to);
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	}
	image_replace(image, copying.to);
	return fail_for_made_up_pixels(why);
}

VipsPel
picture_lowest_alpha(VipsImage *image)
{
	size_t width = (size_t)vips_image_get_width(image), bands = (size_t)vips_image_get_bands(image);
	VipsPel lowest = OPAQUE;

	if (!vips_image_hasalpha(image))
		return OPAQUE;
	for (int y = 0; y < vips_image_get_height(image) && lowest >= NEARLY_OPAQUE; y++) {
		const VipsPel *alpha = VIPS_IMAGE_ADDR(image, 0, y) + bands - 1;

		for (size_t x = 0; x < width; x++)
			lowest = VIPS_MIN(lowest, alpha[x * bands]);
	}
	return lowest;
}

bool
picture_drop_alpha(VipsImage **image, struct failure *why)
{
	VipsImage *colours;

	if (!vips_image_hasalpha(*image))
		return true;
	if (vips_extract_band(*image, &colours, 0, "n", picture_colour_bands(*image), NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(image, colours);
	return true;
}

bool
picture_restore_alpha(VipsImage **image, const struct source *source, struct failure *why)
{
	VipsImage *joined;

	if (!vips_image_hasalpha(source->image) || vips_image_hasalpha(*image))
		return true;
	if (vips_bandjoin_const1(*image, &joined, OPAQUE, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "alpha");
	image_replace(image, joined);
	return true;
}
