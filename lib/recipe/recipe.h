/*
 * recipe - what a URL asks of an image, as a value.
 *
 * URL text exists only before recipe_parse(); afterwards there is one struct,
 * and one canonical text for it: operations in table order, defaults left out,
 * numbers in their shortest form.  The canonical text is what is hashed, logged
 * and sent to the renderer, so equal requests are equal everywhere:
 *
 *	recipe_parse(recipe_print(r)) == r
 *
 * in everything that decides the picture; `asked` and `asked_freely` remember
 * how it was written and may differ.  Two spellings of the same wish
 * ("h=300,w=400", "w=0400") are one recipe.  The output format is not part of
 * it: it comes from the file extension.
 */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include "base/failure.h"
#include "base/text.h"
#include "recipe/preset.h"

#include <stdint.h>

enum {
	RECIPE_TEXT_MAX = 1024,	/* bytes of URL text, and of a canonical text */
	RECIPE_SIDE_MAX = 8192,	/* pixels: the largest w or h that can be asked for */
	RECIPE_CROP_MAX = 10000000,	/* pixels: the longest side libvips knows (VIPS_MAX_COORD) */
	RECIPE_RESULT_SIDE_MAX = 16384	/* pixels, after dpr: WebP ends at 16383, AVIF at 16384 */
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
	GRAVITY_POINT,		/* gravity_x, gravity_y as fractions of the image, before crop */
	GRAVITY_COUNT
};

struct recipe_colour {
	uint8_t red, green, blue, alpha;
};

/* crop=x:y:w:h; all four in pixels of the upright original, or all four as
 * fractions of it (each at most 1, written with a decimal point). */
struct recipe_crop {
	bool is_set;
	bool is_fraction;
	double x, y, width, height;
};

struct recipe {
	bool is_original;	/* "original": the untouched file, nothing else may be asked */
	unsigned width, height;	/* 0: not asked */
	double dpr;		/* 1 by default; multiplies width and height */
	enum recipe_fit fit;
	enum recipe_gravity gravity;
	double gravity_x, gravity_y;
	struct recipe_crop crop;
	bool has_background;
	struct recipe_colour background;
	unsigned quality;	/* 1..100; 0: the format's default */
	bool may_enlarge;

	uint64_t asked;		/* bit i: operations[i] was written, in the URL or by a preset */
	uint64_t asked_freely;	/* the same, without what only came from a preset */
	unsigned presets;	/* how many the URL itself names: two together are a wish of its own */
};

void recipe_init(struct recipe *recipe);

/* Reads "w=400,fit=cover", "@card,dpr=2" or "original".  Presets stand first;
 * each preset and each operation once (a pair after a preset overrides what the
 * preset said).  "original" and "-" stand alone.  FAIL_BAD_REQUEST names the
 * part that is wrong, and *recipe is then of no use.  presets may be NULL: none. */
bool recipe_parse(struct span text, const struct preset_set *presets, struct recipe *recipe,
    struct failure *why) __attribute__((warn_unused_result));

/* Adds the canonical text.  Never empty: a recipe that asks nothing is "-",
 * which recipe_parse() reads too. */
void recipe_print(const struct recipe *recipe, struct text *out);

/* Replaces what refers to the asset by what the asset says: GRAVITY_FOCUS
 * becomes GRAVITY_POINT with this focal point (fractions, kept to six decimals),
 * or GRAVITY_CENTRE when there is none.  With FIT_PAD it is GRAVITY_CENTRE in any
 * case: a focal point says what must not be cut off, and pad cuts nothing off. */
void recipe_resolve_focus(struct recipe *recipe, bool has_focus, double x, double y);

#endif
