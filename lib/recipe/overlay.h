/*
 * overlay - what is laid over the picture once all names are resolved: a mark
 * (watermark) and lines of text.
 *
 * A recipe only names a watermark and says that the credit is wanted; how it
 * looks comes from the configuration, what it says from the asset, and either
 * may be imposed by the asset.  The responder resolves all that into this value.
 * Its text travels to the renderer beside the recipe and is part of the
 * variant's identity:
 *
 *	overlays_parse(overlays_print(o)) == o
 *
 * when its fractions have at most six decimals.
 */
#ifndef RECIPE_OVERLAY_H
#define RECIPE_OVERLAY_H

#include "base/failure.h"
#include "base/text.h"
#include "recipe/recipe.h"

enum {
	CAPTION_TEXT_MAX = 255,		/* bytes of UTF-8 */
	CAPTION_FONT_MAX = 63,		/* a Pango font description without size: "DejaVu Sans Bold" */
	CAPTION_COUNT_MAX = 2,		/* the credit, and the free text */
	OVERLAYS_PRINTED_MAX = 3072	/* bytes that overlays_print() adds at most */
};

/* Leaves half of the shorter side to the line, so that no margin alone makes it vanish. */
#define CAPTION_MARGIN_MAX 0.25

struct mark {
	bool is_set;
	enum recipe_gravity position;	/* a side or the centre */
	double margin;			/* from the edge: fraction of the result's shorter side, 0..0.5; a mark that
					 * has no room for it has less */
	double scale;			/* mark's width: fraction of the result's width, 0.01..1; its height
					 * follows, and is at most the same fraction of the result's height */
	double opacity;			/* 0.01..1 */
	bool is_tiled;			/* repeated over the whole picture, `margin` apart */
	unsigned min_width, min_height;	/* left out of results that are smaller on either side;
					 * at most RECIPE_RESULT_SIDE_MAX, 0: never */
	bool is_imposed;		/* by the asset: left out only when, besides, the result shows
					 * the whole picture, so that parts at full size never are bare */
};

struct caption {
	char text[CAPTION_TEXT_MAX + 1];	/* UTF-8, one line, no control characters; "": none */
	char font[CAPTION_FONT_MAX + 1];
	double size;			/* of the letters (1 em): fraction of the result's shorter side, 0.005..0.5 */
	enum recipe_gravity position;	/* a side or the centre */
	double margin;			/* from the edge: fraction of the shorter side, 0..CAPTION_MARGIN_MAX */
	struct recipe_colour colour;
	struct recipe_colour shadow;	/* alpha 0: none; 1/16 em to the right and down */
	unsigned min_width, min_height;
	bool is_imposed;
};

struct overlays {
	struct mark mark;
	struct caption captions[CAPTION_COUNT_MAX];
	unsigned caption_count;
};

/* Adds one word of printable ASCII, without spaces: "-" when there is nothing.
 * A value out of its range is printed, but not parsed. */
void overlays_print(const struct overlays *overlays, struct text *out);

/* Reads exactly what overlays_print() writes, of values in their range.  On
 * failure *overlays is of no use. */
bool overlays_parse(struct span text, struct overlays *overlays) __attribute__((warn_unused_result));

/* UTF-8 of at most max bytes, not empty, without control characters (C0, C1) and
 * without U+2028 and U+2029, which end lines: whatever it says is one line. */
bool caption_text_is_valid(struct span text, size_t max);

#endif
