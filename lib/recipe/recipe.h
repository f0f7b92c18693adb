/*
 * recipe - what a URL asks of an image, as a value.
 *
 * URL text exists only before recipe_parse(); afterwards there is one struct,
 * and one canonical text for it: operations in table order, defaults left out,
 * numbers in their shortest form, texts percent-encoded.  The canonical text is
 * what is hashed, logged and sent to the renderer, so equal requests are equal
 * everywhere:
 *
 *	recipe_parse(recipe_print(r)) == r
 *
 * in everything that decides the answer; `asked` and `asked_freely` remember
 * how it was written and may differ.  Two spellings of the same wish
 * ("h=300,w=400", "w=0400") are one recipe.  The output format is not part of
 * it: it comes from the file extension.
 *
 * Lengths (w, h, mw, mh, border, round, blur, pixelate, offsets of g, radii) are
 * pixels of the result at dpr 1, and all of them are multiplied by dpr.
 */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include "base/failure.h"
#include "base/text.h"
#include "http/media.h"
#include "recipe/preset.h"

#include <stdint.h>

enum {
	RECIPE_TEXT_MAX = 1600,	/* bytes of URL text, and of a canonical text: the longest has 1528 */
	RECIPE_SIDE_MAX = 8192,	/* pixels: the largest w or h that can be asked for */
	RECIPE_CROP_MAX = 10000000,	/* pixels: the longest side libvips knows (VIPS_MAX_COORD) */
	RECIPE_RESULT_SIDE_MAX = 16384,	/* pixels, after dpr: WebP ends at 16383, AVIF at 16384 */
	RECIPE_PAGE_MAX = 10000,
	RECIPE_CAPTION_MAX = 200,	/* bytes of UTF-8 in text=; three times that when encoded */
	RECIPE_DOWNLOAD_MAX = 100,	/* bytes of UTF-8 in dl= */
	RECIPE_WATERMARK_MAX = 32	/* of a watermark's name, [a-z0-9_-] */
};

enum recipe_fit {
	FIT_CONTAIN = 0,	/* the whole image, within w x h */
	FIT_COVER,		/* exactly w x h, filled, the rest cut off */
	FIT_FILL,		/* exactly w x h, stretched */
	FIT_PAD,		/* exactly w x h, the whole image on the background */
	FIT_OUTSIDE,		/* the whole image, at least w x h */
	FIT_COUNT
};

enum recipe_gravity {
	GRAVITY_FOCUS = 0,	/* the asset's stored focal point, or the centre */
	GRAVITY_NORTH, GRAVITY_NORTH_EAST, GRAVITY_EAST, GRAVITY_SOUTH_EAST,
	GRAVITY_SOUTH, GRAVITY_SOUTH_WEST, GRAVITY_WEST, GRAVITY_NORTH_WEST,
	GRAVITY_CENTRE,
	GRAVITY_SMART,		/* the point that draws most attention; the renderer finds it */
	GRAVITY_ENTROPY,	/* the part with most detail; the renderer finds it */
	GRAVITY_POINT,		/* gravity_x, gravity_y as fractions of the upright image, before crop */
	GRAVITY_COUNT
};

enum recipe_flip { FLIP_NONE = 0, FLIP_ACROSS, FLIP_DOWN, FLIP_BOTH, FLIP_COUNT };
enum recipe_orient { ORIENT_AUTO = 0, ORIENT_OFF, ORIENT_COUNT };
enum recipe_animation { ANIMATION_ON = 0, ANIMATION_OFF, ANIMATION_COUNT };
enum recipe_quality { QUALITY_DEFAULT = 0, QUALITY_LOW, QUALITY_AUTO, QUALITY_GIVEN, QUALITY_COUNT };
enum recipe_progressive { PROGRESSIVE_ON = 0, PROGRESSIVE_OFF, PROGRESSIVE_COUNT };
enum recipe_subsample { SUBSAMPLE_AUTO = 0, SUBSAMPLE_420, SUBSAMPLE_444, SUBSAMPLE_COUNT };
enum recipe_strip { STRIP_COPYRIGHT = 0, STRIP_ALL, STRIP_KEEP, STRIP_COUNT };
enum recipe_icc { ICC_SRGB = 0, ICC_P3, ICC_KEEP, ICC_COUNT };

struct recipe_colour {
	uint8_t red, green, blue, alpha;
};

/* crop=x:y:w:h; all four in pixels of the upright original (after trim), or all
 * four as fractions of it (each at most 1, written with a decimal point). */
struct recipe_crop {
	bool is_set;
	bool is_fraction;
	double x, y, width, height;
};

/* trim=10 or trim=10:ffffff: cuts off the margins that differ from the colour,
 * or from that of the top left pixel, by no more than threshold in any channel. */
struct recipe_trim {
	unsigned threshold;	/* 1..254; 0: not asked */
	bool has_colour;
	struct recipe_colour colour;
};

/* g=se:10:20, g=n:0.0:0.1: inward from the side, right and down from the middle. */
struct recipe_offset {
	bool is_fraction;	/* of the result's width and height; else pixels at dpr 1 */
	double x, y;
};

/* ar=16:9, in lowest terms: both whole numbers of at most 10000000. */
struct recipe_ratio {
	unsigned width, height;	/* 0: not asked */
};

/* usm=amount:sigma:threshold */
struct recipe_unsharp {
	double amount;		/* 0: not asked */
	double sigma;		/* pixels at dpr 1 */
	unsigned threshold;	/* levels of 255 */
};

struct recipe {
	bool is_original;	/* "original": the untouched file, nothing else may be asked */

	/* Which frames: page 3 of a TIFF, or frame 3; 0: all, or the first. */
	unsigned page;
	enum recipe_animation animation;

	/* What of the picture, and which way up, in this order. */
	enum recipe_orient orient;
	struct recipe_trim trim;
	struct recipe_crop crop;
	double rotation;	/* degrees clockwise, 0 <= rotation < 360, two decimals */
	enum recipe_flip flip;	/* of what rotation gave */
	double zoom;		/* 1 by default */

	/* How large. */
	unsigned width, height;	/* 0: not asked in pixels */
	double width_fraction, height_fraction;	/* w=0.5: of the source; 0: not asked so */
	struct recipe_ratio ratio;
	unsigned min_width, min_height;
	double dpr;		/* 1 by default; multiplies all lengths */
	bool may_enlarge;
	enum recipe_fit fit;
	enum recipe_gravity gravity;
	double gravity_x, gravity_y;		/* GRAVITY_POINT */
	struct recipe_offset gravity_offset;	/* sides and centre */

	/* Adjustments, in this order; each result is rounded to 8 bits. */
	int brightness, contrast, saturation;	/* -100..100 */
	unsigned hue;				/* degrees, 0..359 */
	double gamma;				/* 1 by default */
	bool is_inverted;
	bool is_grey;
	unsigned sepia;				/* per cent */
	bool has_duotone;
	struct recipe_colour duotone_dark, duotone_light;
	bool has_tint;
	struct recipe_colour tint;
	unsigned tint_amount;			/* per cent */
	double blur;				/* sigma in pixels */
	unsigned pixelate;			/* side of a block in pixels; 0: not asked */
	double sharpen;				/* sigma */
	struct recipe_unsharp unsharp;

	/* Behind, on and around the picture, in this order. */
	bool has_background;
	struct recipe_colour background;
	char watermark[RECIPE_WATERMARK_MAX + 1];	/* name in the configuration; "": none */
	bool has_credit;
	char caption[RECIPE_CAPTION_MAX + 1];		/* text=: UTF-8, one line; "": none */
	enum recipe_gravity caption_gravity;		/* a side or the centre; FOCUS: south */
	double caption_size;				/* of the result's shorter side; 0: default */
	bool has_caption_colour;
	struct recipe_colour caption_colour;
	unsigned border;				/* pixels on each side; 0: none */
	struct recipe_colour border_colour;
	unsigned radius;				/* of the corners, in pixels; 0: none */
	bool is_round;					/* round=max: as round as it goes */

	/* The file. */
	enum recipe_quality quality_choice;
	unsigned quality;		/* 1..100 with QUALITY_GIVEN, else 0 */
	uint64_t max_bytes;		/* 0: not asked */
	bool is_lossless;
	enum recipe_progressive progressive;
	enum recipe_subsample subsample;
	unsigned colours;		/* palette=2..256; 0: none in PNG, 256 in GIF */
	enum recipe_strip strip;
	enum recipe_icc icc;
	char download[RECIPE_DOWNLOAD_MAX + 1];	/* dl=: the file's name when saved; "": shown */

	uint64_t asked;		/* bit i: operations[i] was written, in the URL or by a preset */
	uint64_t asked_freely;	/* the same, without what only came from a preset */
	unsigned presets;	/* how many the URL itself names: two together are a wish of its own */
};

void recipe_init(struct recipe *recipe);

/*
 * Reads "w=400,fit=cover", "@card,dpr=2" or "original".  Presets stand first;
 * each preset and each operation once (a pair after a preset overrides what the
 * preset said, and what cannot be had together with it).  "original" and "-"
 * stand alone.  Names and arguments may be percent-encoded: it is cut at commas and
 * "=" first, so a comma in a text is written %2C.  The set's default preset, if any,
 * holds before all of this, except for "original", and is not counted as asked.
 * FAIL_BAD_REQUEST names the operation and its range, and *recipe is then of no
 * use; also for operations that contradict each other whatever the image is.
 * presets may be NULL: none.
 */
bool recipe_parse(struct span text, const struct preset_set *presets, struct recipe *recipe,
    struct failure *why) __attribute__((warn_unused_result));

/* The text that recipe_parse() reads, from a path segment as it was written: the
 * segment itself, unless a client encoded it once more as a whole; that is undone
 * as url_decode_segment() does.  It shows by a "=" that is nowhere plain
 * ("w%3D400%2Ch%3D300", as encodeURIComponent makes it), or by commas that are not,
 * one of them before an operation and a plain "=" ("w=400%2Ch=300", as Go's
 * url.PathEscape does). */
bool recipe_decode_segment(struct span segment, struct arena *arena, struct span *text,
    struct failure *why) __attribute__((warn_unused_result));

/* What cannot be had in this format: lossless in JPEG or GIF, max-bytes of what
 * has no quality to lower.  FAIL_BAD_REQUEST.  Not asked for "auto", which chooses. */
bool recipe_suits_format(const struct recipe *recipe, enum media format, struct failure *why)
    __attribute__((warn_unused_result));

/* Whether the variant looks the same when it is made of a mezzanine, a plain JPEG of the whole original
 * (docs/mezzanines.md), as far as that does not depend on its size. */
bool recipe_suits_mezzanine(const struct recipe *recipe, enum media format);

/* Adds the canonical text.  Never empty: a recipe that asks nothing is "-",
 * which recipe_parse() reads too. */
void recipe_print(const struct recipe *recipe, struct text *out);

/* Replaces what refers to the asset by what the asset says: GRAVITY_FOCUS
 * becomes GRAVITY_POINT with this focal point (fractions, kept to six decimals),
 * or GRAVITY_CENTRE when there is none.  With FIT_PAD it is GRAVITY_CENTRE in any
 * case: a focal point says what must not be cut off, and pad cuts nothing off. */
void recipe_resolve_focus(struct recipe *recipe, bool has_focus, double x, double y);

/* Whether the size of the result can only be known by looking at the pixels
 * (trim), or at another page than the row describes. */
bool recipe_size_needs_pixels(const struct recipe *recipe);

/* Whether two recipes ask for the same turning, adjustments, background and
 * decoration, and the same kind of file; sizes, strip and dl may differ. */
bool recipe_looks_like(const struct recipe *one, const struct recipe *other);

/* Whether more than one frame comes out, of a source with so many, in this format. */
bool recipe_keeps_frames(const struct recipe *recipe, unsigned frames, enum media format);

#endif
