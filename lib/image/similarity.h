/*
 * similarity - how alike two pictures look, from the brightness of their pixels.
 *
 * The mean structural similarity of Wang, Bovik, Sheikh and Simoncelli, "Image
 * quality assessment: from error visibility to structural similarity", IEEE
 * Transactions on Image Processing 13 (2004): a window of 11 x 11, Gaussian with sigma
 * 1.5, everywhere where it lies within the picture, K1 = 0.01, K2 = 0.03, L = 255.
 * No libvips.
 */
#ifndef IMAGE_SIMILARITY_H
#define IMAGE_SIMILARITY_H

#include <stdint.h>

enum { SIMILARITY_WINDOW = 11 };	/* pixels: no side may be shorter */

struct luma {
	uint8_t *pixels;	/* width x height, 0 to 255 */
	unsigned width, height;
};

/* Of the same size.  1 for equal pictures, less for others. */
double similarity_of(const struct luma *one, const struct luma *other);

#endif
