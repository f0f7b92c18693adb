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
	VipsPel *row;		/* of the copy */
	size_t width, from_bands;
};

static bool
copying_init(struct copying *copying, VipsImage *from)
{
	*copying = (struct copying){
		.to = vips_image_new_memory(),
		.row = g_malloc(VIPS_IMAGE_SIZEOF_LINE(from)),
		.width = (size_t)vips_image_get_width(from),
		.from_bands = (size_t)vips_image_get_bands(from),
	};
	if (vips_image_pipelinev(copying->to, VIPS_DEMAND_STYLE_THINSTRIP, from, NULL) == -1)
		return false;
	copying->to->Bands--;
	return true;
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

/* There is something to be seen after all.  Rows above y are there already. */
static bool
begin_anew_with_alpha(struct copying *copying, int y)
{
	VipsImage *without = copying->to;
	bool is_copied;

	copying->to = vips_image_new_memory();
	is_copied = vips_image_pipelinev(copying->to, VIPS_DEMAND_STYLE_THINSTRIP, without, NULL) == 0;
	copying->to->Bands = (int)copying->from_bands;
	for (int above = 0; is_copied && above < y; above++) {
		add_alpha(copying, VIPS_IMAGE_ADDR(without, 0, above), copying->row);
		is_copied = vips_image_write_line(copying->to, above, copying->row) == 0;
	}
	g_object_unref(without);
	return is_copied;
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
	if (!has_alpha(copying) && !is_opaque(copying, from) && !begin_anew_with_alpha(copying, y))
		return false;
	if (has_alpha(copying))
		memcpy(copying->row, from, copying->width * copying->from_bands);
	else if (copying->from_bands == 4)
		take_colours(from, copying->row, copying->width, 3);
	else
		take_colours(from, copying->row, copying->width, 1);
	return vips_image_write_line(copying->to, y, copying->row) == 0;
}

static bool
copy(struct copying *copying, VipsRegion *from)
{
	bool is_copied = true;

	for (int y = 0; is_copied && y < from->im->Ysize; y++) {
		VipsRect strip = { 0, y, from->im->Xsize, VIPS_MIN(STRIP_ROWS, from->im->Ysize - y) };

		is_copied = (y % STRIP_ROWS != 0 || vips_region_prepare(from, &strip) == 0) &&
		    copy_row(copying, VIPS_REGION_ADDR(from, 0, y), y);
	}
	return is_copied;
}

bool
picture_decode_colours(VipsImage **image, struct failure *why)
{
	struct copying copying;
	VipsRegion *region;
	bool is_copied;

	if (!vips_image_hasalpha(*image) || !picture_is_plain(*image))
		return picture_decode(image, why);
	region = vips_region_new(*image);
	is_copied = copying_init(&copying, *image) && copy(&copying, region);
	g_free(copying.row);
	g_object_unref(region);
	if (!is_copied) {
		g_object_unref(copying.to);
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
