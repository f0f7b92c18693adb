#include "recipe/operation.h"

#include "base/check.h"
#include "recipe/argument.h"

#include <stddef.h>

/* ---- words --------------------------------------------------------------------------- */

static const char *const animation_words[ANIMATION_COUNT] = {
	[ANIMATION_ON] = "on",
	[ANIMATION_OFF] = "off",
};

static const char *const orient_words[ORIENT_COUNT] = {
	[ORIENT_AUTO] = "auto",
	[ORIENT_OFF] = "off",
};

static const char *const flip_words[FLIP_COUNT] = {
	[FLIP_ACROSS] = "h",
	[FLIP_DOWN] = "v",
	[FLIP_BOTH] = "hv",
};

static const char *const fit_words[FIT_COUNT] = {
	[FIT_CONTAIN] = "contain",
	[FIT_COVER] = "cover",
	[FIT_FILL] = "fill",
	[FIT_PAD] = "pad",
	[FIT_OUTSIDE] = "outside",
};

static const char *const gravity_words[GRAVITY_COUNT] = {
	[GRAVITY_FOCUS] = "focus",
	[GRAVITY_NORTH] = "n",
	[GRAVITY_NORTH_EAST] = "ne",
	[GRAVITY_EAST] = "e",
	[GRAVITY_SOUTH_EAST] = "se",
	[GRAVITY_SOUTH] = "s",
	[GRAVITY_SOUTH_WEST] = "sw",
	[GRAVITY_WEST] = "w",
	[GRAVITY_NORTH_WEST] = "nw",
	[GRAVITY_CENTRE] = "c",
	[GRAVITY_SMART] = "smart",
	[GRAVITY_ENTROPY] = "entropy",
};

/* The south is where captions stand anyway: the first that fits is its one value. */
static const char *const caption_gravity_words[] = {
	[GRAVITY_FOCUS] = "s",
	[GRAVITY_NORTH] = "n",
	[GRAVITY_NORTH_EAST] = "ne",
	[GRAVITY_EAST] = "e",
	[GRAVITY_SOUTH_EAST] = "se",
	[GRAVITY_SOUTH_WEST] = "sw",
	[GRAVITY_WEST] = "w",
	[GRAVITY_NORTH_WEST] = "nw",
	[GRAVITY_CENTRE] = "c",
};

static const char *const progressive_words[PROGRESSIVE_COUNT] = {
	[PROGRESSIVE_ON] = "on",
	[PROGRESSIVE_OFF] = "off",
};

static const char *const subsample_words[SUBSAMPLE_COUNT] = {
	[SUBSAMPLE_AUTO] = "auto",
	[SUBSAMPLE_420] = "420",
	[SUBSAMPLE_444] = "444",
};

static const char *const strip_words[STRIP_COUNT] = {
	[STRIP_COPYRIGHT] = "copyright",
	[STRIP_ALL] = "all",
	[STRIP_KEEP] = "keep",
};

static const char *const icc_words[ICC_COUNT] = {
	[ICC_SRGB] = "srgb",
	[ICC_P3] = "p3",
	[ICC_KEEP] = "keep",
};

/* ---- the table ----------------------------------------------------------------------- */

#define KIND(kind) .parse = argument_parse_##kind, .print = argument_print_##kind
#define PLAIN(kind, member) KIND(kind), .field = offsetof(struct recipe, member)
#define WORD(member, list) PLAIN(word, member), .words = list, .word_count = sizeof(list) / sizeof(list[0])
#define COLOUR(member, is_given) PLAIN(colour, member), .second = offsetof(struct recipe, is_given)
#define SIDE(member, fraction) PLAIN(side, member), .second = offsetof(struct recipe, fraction)

#define COLOUR_GRAMMAR "rgb, rgba, rrggbb or rrggbbaa in hex, or transparent"

/* An operation keeps its place once URLs use it: the order is part of every
 * canonical text, and so of every key and ETag. */
const struct operation operations[] = {
	{
		.name = "page",
		.argument = "1..10000",
		.fallback = "all frames, or the first",
		.help = "The page of a document, or the frame of an animation, that is used alone; the first is 1.",
		PLAIN(number, page), .min = 1, .max = RECIPE_PAGE_MAX,
	},
	{
		.name = "anim",
		.argument = "on or off",
		.fallback = "on",
		.help = "off: only the first frame of an animation is used. gif and webp keep all of them, the "
			"other formats the first in any case.",
		WORD(animation, animation_words),
	},
	{
		.name = "orient",
		.argument = "auto or off",
		.fallback = "auto",
		.help = "auto: the original is first turned upright as its EXIF orientation says; off: it is used "
			"as it is stored.",
		WORD(orient, orient_words),
	},
	{
		.name = "trim",
		.argument = "a threshold of 1..254, perhaps with a colour: 10:ffffff",
		.fallback = "nothing is trimmed",
		.cost = COST_ORIGINAL,
		.help = "Cuts off the margins in which red, green, blue and alpha differ by no more than the "
			"threshold from the colour, or from the top left pixel; in an animation, what is margin in "
			"every frame.",
		KIND(trim),
	},
	{
		.name = "crop",
		.argument = "x:y:w:h, all in pixels, or all with a decimal point from 0.0 to 1.0; w and h above 0",
		.fallback = "the whole image",
		.help = "The part of the upright, trimmed original that is used.",
		KIND(crop),
	},
	{
		.name = "rot",
		.argument = "-360..360 degrees, at most 2 decimals",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "Turns clockwise. By other angles than quarters the picture becomes the box around the "
			"turned one, with `bg` in its corners.",
		PLAIN(rotation, rotation),
	},
	{
		.name = "flip",
		.argument = "h, v or hv",
		.fallback = "not mirrored",
		.help = "Mirrors what `rot` gave: h left and right, v top and bottom.",
		WORD(flip, flip_words),
	},
	{
		.name = "zoom",
		.argument = "1..100, at most 3 decimals",
		.fallback = "1",
		.help = "Keeps one part in so many of each side, where `g` says, before `w` and `h`.",
		PLAIN(decimal, zoom), .min = 1, .max = 100, .decimals = 3, .initial = 1,
	},
	{
		.name = "w",
		.argument = "1..8192 pixels, or with a decimal point a fraction of the source, up to 1.0",
		.fallback = "follows from h",
		.help = "Width in pixels, or of the box that `fit` fills; as a fraction, of what is left after "
			"`zoom`.",
		SIDE(width, width_fraction), .min = 1, .max = RECIPE_SIDE_MAX,
	},
	{
		.name = "h",
		.argument = "1..8192 pixels, or with a decimal point a fraction of the source, up to 1.0",
		.fallback = "follows from w",
		.help = "Height, in the same way.",
		SIDE(height, height_fraction), .min = 1, .max = RECIPE_SIDE_MAX,
	},
	{
		.name = "ar",
		.argument = "W:H, each above 0 and up to 10000, at most 3 decimals",
		.fallback = "the source's",
		.help = "The shape of the box: gives the side that was not asked, or with neither asked a box of "
			"that shape. Not together with both.",
		KIND(ratio),
	},
	{
		.name = "mw",
		.argument = "1..8192",
		.fallback = "none",
		.help = "The width below which contain, or a single side, does not go; what is then over the box "
			"is cut off.",
		PLAIN(number, min_width), .min = 1, .max = RECIPE_SIDE_MAX,
	},
	{
		.name = "mh",
		.argument = "1..8192",
		.fallback = "none",
		.help = "The height, in the same way.",
		PLAIN(number, min_height), .min = 1, .max = RECIPE_SIDE_MAX,
	},
	{
		.name = "dpr",
		.argument = "0.5..8, at most 3 decimals",
		.fallback = "1",
		.help = "Pixels of the result for each pixel of `w`, `h` and every other length.",
		PLAIN(decimal, dpr), .min = 0.5, .max = 8, .decimals = 3, .initial = 1,
	},
	{
		.name = "enlarge",
		.argument = "0 or 1",
		.fallback = "0",
		.help = "1: the picture may become larger than the original.",
		PLAIN(switch, may_enlarge),
	},
	{
		.name = "fit",
		.argument = "contain, cover, fill, pad or outside",
		.fallback = "contain",
		.help = "How the picture meets a box of `w` and `h`: contain within it; cover fills it and is cut; "
			"fill is stretched to it; pad lies on a canvas of its size; outside is the smallest around "
			"it.",
		WORD(fit, fit_words),
	},
	{
		.name = "g",
		.argument = "n, ne, e, se, s, sw, w, nw, c, focus, smart, entropy, x:y from 0 to 1, or a side or c "
			"with offsets in pixels or fractions: se:10:20",
		.fallback = "focus: the asset's focal point, else c",
		.help = "What stays in the picture when it is cut, and where it lies on a canvas. Offsets go "
			"inward from a side, right and down from the middle. smart (what draws attention) and "
			"entropy (where most detail is) look at each pixel of the original.",
		PLAIN(gravity, gravity), .words = gravity_words, .word_count = GRAVITY_COUNT,
	},
	{
		.name = "bri",
		.argument = "-100..100",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "Brightness: red, green and blue are multiplied by 1 + n / 100 (CSS brightness).",
		PLAIN(integer, brightness), .min = -100, .max = 100,
	},
	{
		.name = "con",
		.argument = "-100..100",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "Contrast: their distances from middle grey are multiplied by 1 + n / 100 (CSS contrast).",
		PLAIN(integer, contrast), .min = -100, .max = 100,
	},
	{
		.name = "sat",
		.argument = "-100..100",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "Saturation: -100 leaves grey, 100 doubles it (CSS saturate).",
		PLAIN(integer, saturation), .min = -100, .max = 100,
	},
	{
		.name = "hue",
		.argument = "0..359 degrees",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "Turns every colour by this angle, keeping its lightness (CSS hue-rotate).",
		PLAIN(number, hue), .max = 359,
	},
	{
		.name = "gamma",
		.argument = "0.1..10, at most 2 decimals",
		.fallback = "1",
		.cost = COST_RESULT,
		.help = "Raises red, green and blue, from 0 to 1, to the power of 1 / gamma: above 1 lighter, "
			"below 1 darker.",
		PLAIN(decimal, gamma), .min = 0.1, .max = 10, .decimals = 2, .initial = 1,
	},
	{
		.name = "invert",
		.argument = "0 or 1",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "1: red, green and blue become 255 less themselves (CSS invert).",
		PLAIN(switch, is_inverted),
	},
	{
		.name = "gray",
		.argument = "0 or 1",
		.fallback = "0",
		.cost = COST_RESULT,
		.help = "1: shades of grey by lightness (CSS grayscale).",
		PLAIN(switch, is_grey),
	},
	{
		.name = "sepia",
		.argument = "1..100 per cent",
		.fallback = "none",
		.cost = COST_RESULT,
		.help = "Mixes in the brown of an old photograph (CSS sepia).",
		PLAIN(number, sepia), .min = 1, .max = 100,
	},
	{
		.name = "duotone",
		.argument = "dark:light, two opaque colours of rgb or rrggbb in hex",
		.fallback = "none",
		.cost = COST_RESULT,
		.help = "Lightness drawn between two colours: black becomes the first, white the second.",
		KIND(duotone),
	},
	{
		.name = "tint",
		.argument = "an opaque colour, perhaps with an amount of 1..100 per cent: ff0000:30",
		.fallback = "none; the amount 50",
		.cost = COST_RESULT,
		.help = "Mixes the picture with so much of the colour.",
		KIND(tint),
	},
	{
		.name = "blur",
		.argument = "0.3..100, at most 2 decimals",
		.fallback = "none",
		.cost = COST_RESULT,
		.help = "Gaussian blur with this sigma in pixels.",
		PLAIN(decimal, blur), .min = 0.3, .max = 100, .decimals = 2,
	},
	{
		.name = "pixelate",
		.argument = "2..256",
		.fallback = "none",
		.cost = COST_RESULT,
		.help = "Squares of so many pixels a side, from the top left, each in its mean colour.",
		PLAIN(number, pixelate), .min = 2, .max = 256,
	},
	{
		.name = "sharpen",
		.argument = "0.3..10, at most 2 decimals",
		.fallback = "none",
		.cost = COST_RESULT,
		.help = "Adds to the lightness what a blur with this sigma, in pixels, takes from it.",
		PLAIN(decimal, sharpen), .min = 0.3, .max = 10, .decimals = 2,
	},
	{
		.name = "usm",
		.argument = "amount:sigma:threshold, 0.05..5 : 0.3..20 : 0..255, the first two with at most 2 decimals",
		.fallback = "none; sigma 1, threshold 0",
		.cost = COST_RESULT,
		.help = "Unsharp mask: adds so much of what a blur with this sigma takes from red, green and blue, "
			"where that is at least the threshold.",
		KIND(unsharp),
	},
	{
		.name = "bg",
		.argument = COLOUR_GRAMMAR,
		.fallback = "transparent, or white where the format cannot be",
		.help = "The colour behind the picture, of the margins of pad and of the corners of `rot` and "
			"`round`.",
		COLOUR(background, has_background),
	},
	{
		.name = "watermark",
		.argument = "a name of 1 to 32 of a-z 0-9 _ -",
		.fallback = "none but what the asset imposes",
		.cost = COST_RESULT,
		.help = "Lays the watermark of that name in the configuration over the picture.",
		KIND(watermark),
	},
	{
		.name = "credit",
		.argument = "0 or 1",
		.fallback = "0, unless the asset imposes it",
		.cost = COST_RESULT,
		.help = "1: writes the asset's credit line on the picture.",
		PLAIN(switch, has_credit),
	},
	{
		.name = "text",
		.argument = "one line of UTF-8, 1 to 200 bytes, percent-encoded",
		.fallback = "none",
		.cost = COST_RESULT,
		.help = "Writes this on the picture. Needs a signed URL.",
		KIND(caption),
	},
	{
		.name = "textg",
		.argument = "n, ne, e, se, s, sw, w, nw or c",
		.fallback = "s",
		.help = "The side, corner or centre where `text` stands; like the next two, nothing without it.",
		WORD(caption_gravity, caption_gravity_words),
	},
	{
		.name = "textsize",
		.argument = "0.005..0.5, at most 4 decimals",
		.fallback = "that of the credit line",
		.help = "Height of the letters of `text` (1 em), as a fraction of the result's shorter side.",
		PLAIN(decimal, caption_size), .min = 0.005, .max = 0.5, .decimals = 4,
	},
	{
		.name = "textcolor",
		.argument = COLOUR_GRAMMAR,
		.fallback = "that of the credit line",
		.help = "The colour of `text`.",
		COLOUR(caption_colour, has_caption_colour),
	},
	{
		.name = "border",
		.argument = "a width of 1..512 pixels, perhaps with a colour: 10:ff0000",
		.fallback = "none; the colour 000",
		.cost = COST_RESULT,
		.help = "Adds so many pixels of the colour on each side, outside of `w` and `h`. With `round` its "
			"inner corners have the radius less this width. A translucent one lies on `bg`.",
		KIND(border),
	},
	{
		.name = "round",
		.argument = "1..4096 pixels, or max",
		.fallback = "square corners",
		.cost = COST_RESULT,
		.help = "Rounds the outer corners with this radius, at most half of the shorter side; max: with "
			"that, so that a square becomes a circle.",
		KIND(radius),
	},
	{
		.name = "q",
		.argument = "1..100, auto or low",
		.fallback = "by format",
		.cost = COST_ENCODINGS,
		.help = "Quality of the encoder, where the format has one. auto: the lowest that still looks like "
			"the picture, found by several encodings; low: what clients that save data get.",
		KIND(quality),
	},
	{
		.name = "max-bytes",
		.argument = "100..67108864",
		.fallback = "none",
		.cost = COST_ENCODINGS,
		.help = "Lowers the quality, or the palette, until the file is no larger; 422 when it cannot be.",
		PLAIN(bytes, max_bytes), .min = 100, .max = 67108864,
	},
	{
		.name = "lossless",
		.argument = "0 or 1",
		.fallback = "0",
		.help = "1: no loss in the encoder. Not in jpg and gif, nor together with `q` or `max-bytes`.",
		PLAIN(switch, is_lossless),
	},
	{
		.name = "progressive",
		.argument = "on or off",
		.fallback = "on",
		.help = "Whether a jpg comes as a whole that gets sharper, or from the top.",
		WORD(progressive, progressive_words),
	},
	{
		.name = "subsample",
		.argument = "auto, 420 or 444",
		.fallback = "auto",
		.help = "Colour at half the resolution (420) or at the full one (444); auto: by quality.",
		WORD(subsample, subsample_words),
	},
	{
		.name = "palette",
		.argument = "2..256",
		.fallback = "none in png, 256 in gif",
		.cost = COST_RESULT,
		.help = "At most so many colours, in png and gif.",
		PLAIN(number, colours), .min = 2, .max = 256,
	},
	{
		.name = "strip",
		.argument = "copyright, all or keep",
		.fallback = "copyright",
		.help = "Which metadata the file has: only copyright and creator, none, or those of the original.",
		WORD(strip, strip_words),
	},
	{
		.name = "icc",
		.argument = "srgb, p3 or keep",
		.fallback = "srgb",
		.help = "The colour space of the result; keep: that of the original, with its profile.",
		WORD(icc, icc_words),
	},
	{
		.name = "dl",
		.argument = "a file name without extension, 1 to 100 bytes of UTF-8, percent-encoded",
		.fallback = "the picture is shown",
		.help = "The answer is saved under this name, with the extension of its format.",
		KIND(download),
	},
};

const unsigned operation_count = sizeof(operations) / sizeof(operations[0]);

_Static_assert(sizeof(operations) / sizeof(operations[0]) <= OPERATION_MAX,
    "a mask of operations has 64 bits");

int
operation_find(struct span name)
{
	for (unsigned i = 0; i < operation_count; i++)
		if (span_equals(name, operations[i].name))
			return (int)i;
	return -1;
}

uint64_t
operation_bit(const char *name)
{
	int index = operation_find(span_of(name));

	CHECK(index != -1);
	return UINT64_C(1) << index;
}

void
operation_print_table(struct text *out)
{
	static const char *const costs[COST_COUNT] = {
		[COST_NONE] = "none",
		[COST_RESULT] = "each pixel of the result",
		[COST_ORIGINAL] = "each pixel of the original",
		[COST_ENCODINGS] = "several encodings",
	};

	text_add(out, "| operation | argument | default | cost | meaning |\n|---|---|---|---|---|\n");
	for (unsigned i = 0; i < operation_count; i++)
		text_printf(out, "| `%s` | %s | %s | %s | %s |\n", operations[i].name, operations[i].argument,
		    operations[i].fallback, costs[operations[i].cost], operations[i].help);
}
