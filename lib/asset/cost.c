#include "asset/cost.h"

#include "base/failure.h"
#include "recipe/geometry.h"
#include "recipe/operation.h"

/* Nanoseconds a pixel: photographs of 8 megapixels through libvips 8.14, give or
 * take a half. */
static const struct {
	unsigned decode, encode;
} rates_ns[MEDIA_COUNT] = {
	[MEDIA_NONE] = { 40, 0 },
	[MEDIA_JPEG] = { 10, 20 },
	[MEDIA_PNG] = { 25, 90 },
	[MEDIA_WEBP] = { 30, 130 },
	[MEDIA_AVIF] = { 40, 600 },
	[MEDIA_GIF] = { 18, 300 },
	[MEDIA_JXL] = { 35, 220 },
	[MEDIA_HEIC] = { 40, 0 },
	[MEDIA_TIFF] = { 8, 0 },
	[MEDIA_SVG] = { 100, 0 },
};

enum {
	PROGRESSIVE_NS = 10,		/* on top of a JPEG's */
	STEP_NS = 15,			/* for each operation that works on all pixels */
	ENCODINGS = 6,			/* of a search for a size */
	TRIALS = 5,			/* of a search for a quality, on a part of this many pixels: image/quality.h */
	TRIAL_PIXELS = 1000000,
	JPEG_SHRINKS = 8,		/* the decoder's own scaling, up to this */
	PIXELS_UNKNOWN = 16000000,
	NS_PER_MS = 1000000
};

/* Doubles throughout: sides of ten million and thousands of frames do not overflow. */
struct work {
	double source_pixels, result_pixels, frames;
};

static struct work
measure(const struct asset *asset, const struct recipe *recipe, enum media format)
{
	struct work work = { PIXELS_UNKNOWN, PIXELS_UNKNOWN, 1 };
	struct geometry_source source;
	struct geometry geometry;
	struct failure why = { 0 };

	if (asset->width == 0 || asset->height == 0)
		return work;
	work.source_pixels = work.result_pixels = (double)asset->width * asset->height;
	if (asset_is_animated(asset) && recipe_keeps_frames(recipe, asset->frames, format))
		work.frames = asset->frames;
	asset_geometry_source(asset, recipe, &source);
	if (geometry_plan(recipe, &source, &geometry, &why))
		work.result_pixels = (double)geometry.width * geometry.height;
	return work;
}

/* JPEGs are decoded at a half, a quarter or an eighth of their size when that is enough. */
static double
decoding_ns(const struct asset *asset, const struct work *work)
{
	double rate = rates_ns[asset->media].decode + (asset->is_progressive ? PROGRESSIVE_NS : 0);

	if (asset->media == MEDIA_JPEG && work->result_pixels * JPEG_SHRINKS < work->source_pixels)
		rate = rate * 2 / 3;
	return rate * work->source_pixels;
}

static double
steps_ns(const struct recipe *recipe, const struct work *work)
{
	double ns = 0;

	for (unsigned i = 0; i < operation_count; i++) {
		if ((recipe->asked & (uint64_t)1 << i) == 0)
			continue;
		if (operations[i].cost == COST_ORIGINAL)
			ns += STEP_NS * work->source_pixels;
		else if (operations[i].cost == COST_RESULT)
			ns += STEP_NS * work->result_pixels;
	}
	return ns;
}

static double
encoding_ns(const struct recipe *recipe, enum media format, const struct work *work)
{
	double pixels = work->result_pixels * (recipe->max_bytes != 0 ? ENCODINGS : 1);

	if (recipe->quality_choice == QUALITY_AUTO)
		pixels += TRIALS * (work->result_pixels < TRIAL_PIXELS ? work->result_pixels : TRIAL_PIXELS);
	return rates_ns[format].encode * pixels;
}

unsigned
cost_of_variant(const struct asset *asset, const struct recipe *recipe, enum media format)
{
	const struct work work = measure(asset, recipe, format);
	double ms = work.frames * (decoding_ns(asset, &work) + steps_ns(recipe, &work) +
	    encoding_ns(recipe, format, &work)) / NS_PER_MS;

	if (ms < 1)
		return 1;
	return ms < 1e9 ? (unsigned)ms : 1000000000;
}

unsigned
cost_through_mezzanine(const struct asset *asset, const struct recipe *recipe, enum media format)
{
	struct asset plain = *asset;

	plain.media = MEDIA_JPEG;
	plain.is_progressive = false;
	return cost_of_variant(&plain, recipe, format);
}
