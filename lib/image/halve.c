/*
 * halve - a picture at half of its sides.
 *
 * By hand, because vips_shrink() takes longer and averages, which blurs.  The six taps were chosen,
 * among those that sum up to a power of two, by how near photos of 15 megapixels come to Lanczos
 * alone when Lanczos halves them once more: 0.1 to 0.2 levels of 255 in the mean, for 0.2 to 0.7
 * with averages.  An alpha channel that is opaque is left out in the same pass, and so is the last
 * pixel of an odd side.
 */
#include "image/pipeline.h"

enum {
	STRIP_ROWS = 16,
	TAPS = 6,			/* two beside those two that a pixel of the half covers, on either side */
	BESIDE = TAPS / 2 - 1,
	NEAR = 30, NEXT = 5, FAR = -3,	/* of 64 */
	SCALE_BITS = 12			/* 64 x 64 */
};

int
picture_colour_bands(VipsImage *image)
{
	return vips_image_get_bands(image) - (vips_image_hasalpha(image) ? 1 : 0);
}

bool
picture_is_plain(VipsImage *image)
{
	VipsInterpretation space = vips_image_get_interpretation(image);
	int bands = picture_colour_bands(image);

	return vips_image_get_format(image) == VIPS_FORMAT_UCHAR &&
	    ((space == VIPS_INTERPRETATION_sRGB && bands == 3) || (space == VIPS_INTERPRETATION_B_W && bands == 1));
}

bool
picture_is_halved_well(VipsImage *image)
{
	return picture_is_plain(image) && !vips_image_hasalpha(image) && vips_image_get_width(image) % 2 == 0 &&
	    vips_image_get_height(image) % 2 == 0;
}

/* Six rows to one, 64 times as large.  `rows` are equal at the upper and lower edge. */
static void
join_rows(const VipsPel *const rows[TAPS], short *restrict sums, size_t samples)
{
	const VipsPel *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3], *e = rows[4], *f = rows[5];

	for (size_t i = 0; i < samples; i++)
		sums[i] = (short)(NEAR * (c[i] + d[i]) + NEXT * (b[i] + e[i]) + FAR * (a[i] + f[i]));
}

/* The first and the last pixel once more beside them, as often as taps reach out. */
static void
widen(short *sums, size_t width, size_t bands)
{
	for (size_t i = 0; i < BESIDE * bands; i++) {
		sums[-1 - (ptrdiff_t)i] = sums[bands - 1 - i % bands];
		sums[width * bands + i] = sums[(width - 1) * bands + i % bands];
	}
}

/* Half a level is rounded up and down in turn, else each soft gradient would become brighter.  Inline, so that
 * there is a loop without another in it for each number of bands that is given as a constant. */
static inline void
join_columns(const short *sums, size_t from_bands, VipsPel *to, size_t width, size_t bands, size_t y)
{
	const ptrdiff_t n = (ptrdiff_t)from_bands;

	for (size_t x = 0; x < width; x++, sums += 2 * n, to += bands)
		for (size_t band = 0; band < bands; band++) {
			const short *p = sums + band;
			int half = (1 << (SCALE_BITS - 1)) - (int)((x + y) % 2);
			int level = (NEAR * (p[0] + p[n]) + NEXT * (p[-n] + p[2 * n]) +
			    FAR * (p[-2 * n] + p[3 * n]) + half) >> SCALE_BITS;

			to[band] = (VipsPel)VIPS_CLIP(0, level, UCHAR_MAX);
		}
}

static void
join_columns_of(const short *sums, size_t from_bands, VipsPel *to, size_t width, size_t bands, size_t y)
{
	if (from_bands == 3 && bands == 3)
		join_columns(sums, 3, to, width, 3, y);
	else if (from_bands == 4 && bands == 3)
		join_columns(sums, 4, to, width, 3, y);
	else
		join_columns(sums, from_bands, to, width, bands, y);
}

/* The rows that the next ones of the half need, as far as there are such. */
static bool
prepare_strip(VipsRegion *from, int y)
{
	int top = VIPS_MAX(0, 2 * y - BESIDE);
	int bottom = VIPS_MIN(from->im->Ysize, 2 * (y + STRIP_ROWS) + BESIDE);
	VipsRect strip = { 0, top, from->im->Xsize, bottom - top };

	return vips_region_prepare(from, &strip) == 0;
}

static void
halve_row(VipsRegion *from, int y, short *sums, VipsPel *row, VipsImage *half)
{
	size_t width = (size_t)from->im->Xsize, bands = (size_t)from->im->Bands;
	const VipsPel *rows[TAPS];

	for (int i = 0; i < TAPS; i++)
		rows[i] = VIPS_REGION_ADDR(from, 0, VIPS_CLIP(0, 2 * y - BESIDE + i, from->im->Ysize - 1));
	join_rows(rows, sums, width * bands);
	widen(sums, width, bands);
	join_columns_of(sums, bands, row, (size_t)half->Xsize, (size_t)half->Bands, (size_t)y);
}

/* As the rows come, so that all of them need not be in memory at once. */
static bool
halve_into(VipsRegion *from, VipsImage *half)
{
	size_t bands = (size_t)from->im->Bands;
	short *sums = g_new(short, ((size_t)from->im->Xsize + 2 * BESIDE) * bands);
	VipsPel *row = g_malloc(VIPS_IMAGE_SIZEOF_LINE(half));
	bool is_written = true;

	for (int y = 0; is_written && y < half->Ysize; y++) {
		is_written = y % STRIP_ROWS != 0 || prepare_strip(from, y);
		if (!is_written)
			continue;
		halve_row(from, y, sums + BESIDE * bands, row, half);
		is_written = vips_image_write_line(half, y, row) == 0;
	}
	g_free(row);
	g_free(sums);
	return is_written;
}

bool
picture_halve(VipsImage **image, struct failure *why)
{
	VipsImage *half = vips_image_new_memory();
	VipsRegion *region = vips_region_new(*image);
	bool is_halved = vips_image_pipelinev(half, VIPS_DEMAND_STYLE_THINSTRIP, *image, NULL) == 0;

	half->Xsize = (*image)->Xsize / 2;
	half->Ysize = (*image)->Ysize / 2;
	half->Bands = picture_colour_bands(*image);
	is_halved = is_halved && halve_into(region, half);
	g_object_unref(region);
	if (!is_halved) {
		g_object_unref(half);
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	}
	image_replace(image, half);
	return fail_for_made_up_pixels(why);
}
