/*
 * narrow - Lanczos across, for plain pictures.
 *
 * By hand, because vips_reduceh() of 8.14.1 takes a sixth of all time of a page of sizes: it multiplies one
 * sample after the other, where here the three of a pixel go at once, of four rows with the same weight, as
 * floats and so without its rounding of weights.  What is down is left to vips_reducev(), which is fast.
 */
#include "image/pipeline.h"

#include <math.h>

enum { STRIP_ROWS = 16, ROWS = 4, LOBES = 3 };

/* Red, green, blue, and nothing; or grey and nothing. */
typedef float pixel __attribute__((vector_size(16)));
typedef int levels __attribute__((vector_size(16)));

/* For each pixel of the result: which of a row it is the weighted sum of. */
struct sum {
	int first, count;
	const float *weights;
};

struct narrowing {
	int from_width, width, bands;
	struct sum *sums;
	float *weights;
	pixel *columns;		/* of ROWS pixels, of the wider picture */
};

static double
lanczos(double x)
{
	if (x == 0)
		return 1;
	if (fabs(x) >= LOBES)
		return 0;
	return LOBES * sin(G_PI * x) * sin(G_PI * x / LOBES) / (G_PI * G_PI * x * x);
}

/* The weights for one pixel; those that fall beside the picture are its edge's.  They sum up to 1. */
static void
weigh(struct sum *sum, float *weights, double centre, double shrink, int from_width)
{
	int begin = (int)ceil(centre - LOBES * shrink - 0.5), end = (int)floor(centre + LOBES * shrink - 0.5);
	double total = 0;

	sum->first = VIPS_CLIP(0, begin, from_width - 1);
	sum->count = VIPS_CLIP(0, end, from_width - 1) - sum->first + 1;
	sum->weights = weights;
	for (int i = begin; i <= end; i++)
		total += lanczos((i + 0.5 - centre) / shrink);
	for (int i = begin; i <= end; i++)
		weights[VIPS_CLIP(0, i, from_width - 1) - sum->first] +=
		    (float)(lanczos((i + 0.5 - centre) / shrink) / total);
}

static void
narrowing_init(struct narrowing *narrowing, VipsImage *from, int width)
{
	double shrink = (double)vips_image_get_width(from) / width;
	size_t taps = (size_t)(2 * LOBES * shrink) + 2;

	*narrowing = (struct narrowing){
		.from_width = vips_image_get_width(from),
		.width = width,
		.bands = vips_image_get_bands(from),
		.sums = g_new(struct sum, width),
		.weights = g_new0(float, (size_t)width * taps),
	};
	narrowing->columns = g_new(pixel, (size_t)narrowing->from_width * ROWS);
	for (int x = 0; x < width; x++)
		weigh(&narrowing->sums[x], narrowing->weights + (size_t)x * taps, (x + 0.5) * shrink, shrink,
		    narrowing->from_width);
}

static void
narrowing_release(struct narrowing *narrowing)
{
	g_free(narrowing->sums);
	g_free(narrowing->weights);
	g_free(narrowing->columns);
}

/* Inline, so that there is a loop for each number of bands that is given as a constant. */
static inline void
read_rows(const struct narrowing *narrowing, const VipsPel *const rows[ROWS], int bands)
{
	pixel *to = narrowing->columns;

	for (int i = 0; i < narrowing->from_width * bands; i += bands)
		for (int row = 0; row < ROWS; row++) {
			const VipsPel *from = rows[row] + i;
			levels read = { from[0], bands == 3 ? from[1] : 0, bands == 3 ? from[2] : 0 };

			*to++ = __builtin_convertvector(read, pixel);
		}
}

/* Rounded; Lanczos goes beyond both ends. */
static levels
levels_of(pixel mixed)
{
	levels rounded = __builtin_convertvector(mixed + 0.5f, levels);
	levels above = rounded > UCHAR_MAX;

	rounded &= rounded > 0;
	return (rounded & ~above) | (above & UCHAR_MAX);
}

static inline void
write_pixel(pixel mixed, VipsPel *to, int bands)
{
	levels written = levels_of(mixed);

	for (int band = 0; band < bands; band++)
		to[band] = (VipsPel)written[band];
}

static inline void
write_rows(const struct narrowing *narrowing, VipsPel *const rows[ROWS], int bands)
{
	for (int x = 0; x < narrowing->width; x++) {
		const struct sum *sum = &narrowing->sums[x];
		const pixel *from = narrowing->columns + (size_t)sum->first * ROWS;
		pixel mixed[ROWS] = { 0 };

		for (int i = 0; i < sum->count; i++, from += ROWS)
			for (int row = 0; row < ROWS; row++)
				mixed[row] += sum->weights[i] * from[row];
		for (int row = 0; row < ROWS; row++)
			write_pixel(mixed[row], rows[row] + x * bands, bands);
	}
}

static void
narrow_rows(const struct narrowing *narrowing, const VipsPel *const from[ROWS], VipsPel *const to[ROWS])
{
	if (narrowing->bands == 3) {
		read_rows(narrowing, from, 3);
		write_rows(narrowing, to, 3);
	} else {
		read_rows(narrowing, from, 1);
		write_rows(narrowing, to, 1);
	}
}

/* At the end there may be fewer, and the last is made more than once. */
static bool
narrow_strip(VipsRegion *from, const struct narrowing *narrowing, VipsImage *to, int top)
{
	VipsRect strip = { 0, top, from->im->Xsize, VIPS_MIN(STRIP_ROWS, to->Ysize - top) };
	int last = top + strip.height - 1;

	if (vips_region_prepare(from, &strip) == -1)
		return false;
	for (int y = top; y <= last; y += ROWS) {
		const VipsPel *rows[ROWS];
		VipsPel *narrow[ROWS];

		for (int row = 0; row < ROWS; row++) {
			rows[row] = VIPS_REGION_ADDR(from, 0, VIPS_MIN(y + row, last));
			narrow[row] = VIPS_IMAGE_ADDR(to, 0, VIPS_MIN(y + row, last));
		}
		narrow_rows(narrowing, rows, narrow);
	}
	return true;
}

static bool
narrow_into(VipsRegion *from, const struct narrowing *narrowing, VipsImage *to)
{
	bool is_written = vips_image_write_prepare(to) == 0;

	for (int top = 0; is_written && top < to->Ysize; top += STRIP_ROWS)
		is_written = narrow_strip(from, narrowing, to, top);
	return is_written;
}

bool
picture_narrow(VipsImage **image, int width, struct failure *why)
{
	VipsImage *narrow = vips_image_new_memory();
	VipsRegion *region = vips_region_new(*image);
	bool is_made = vips_image_pipelinev(narrow, VIPS_DEMAND_STYLE_THINSTRIP, *image, NULL) == 0;
	struct narrowing narrowing;

	narrow->Xsize = width;
	narrowing_init(&narrowing, *image, width);
	is_made = is_made && narrow_into(region, &narrowing, narrow);
	narrowing_release(&narrowing);
	g_object_unref(region);
	if (!is_made) {
		g_object_unref(narrow);
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	}
	image_replace(image, narrow);
	return fail_for_made_up_pixels(why);
}
