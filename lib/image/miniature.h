/*
 * miniature - a picture of at most 100 x 100 pixels, and what is computed from it.
 *
 * Plain bytes in, plain values out; no libvips, no memory, no failure.  A
 * hundred pixels are plenty for five colours and a few cosines, and are the
 * most that ThumbHash takes.
 */
#ifndef IMAGE_MINIATURE_H
#define IMAGE_MINIATURE_H

#include "image/description.h"

#include <stdint.h>

enum {
	MINIATURE_SIDE_MAX = 100,
	MINIATURE_PIXELS_MAX = MINIATURE_SIDE_MAX * MINIATURE_SIDE_MAX,
	THUMBHASH_BYTES_MAX = 25
};

struct miniature {
	unsigned width, height;				/* 1 to MINIATURE_SIDE_MAX */
	uint8_t pixels[MINIATURE_PIXELS_MAX][4];	/* RGBA of sRGB, row after row */
};

/* The first two take no notice of alpha: put the miniature on a background before. */

/*
 * The colours that say most about it, the one that stands for the largest area
 * first; returns how many, 1 to PORTRAIT_PALETTE_MAX: fewer than five when all
 * of the picture is, to the eye, one of these, or when one would stand for less
 * than a hundredth of it.
 *
 * They are means in Oklab (bottosson.github.io/posts/oklab), where distances
 * are as large as they look, of clusters found by splitting the widest one at
 * its mean until there are five, with a few rounds of k-means after each split.
 * Nothing is left to chance: the same pixels give the same colours.
 */
unsigned miniature_palette(const struct miniature *picture, uint8_t colours[PORTRAIT_PALETTE_MAX][3]);

/* By the algorithm of github.com/woltapp/blurhash (Algorithm.md): 4 x 3
 * components, 3 x 4 for what is higher than wide. */
void miniature_blurhash(const struct miniature *picture, char hash[PORTRAIT_BLURHASH_MAX + 1]);

/* By the algorithm of github.com/evanw/thumbhash, as its reference in JavaScript
 * has it; returns the number of bytes. */
unsigned miniature_thumbhash(const struct miniature *picture, uint8_t hash[THUMBHASH_BYTES_MAX]);

#endif
