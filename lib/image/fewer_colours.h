/*
 * fewer_colours - a picture with at most so many colours, whatever the number.
 *
 * The savers of libvips 8.14.1 know palettes of 2, 4, 16 and 256 colours only (GIF: of
 * powers of two).  Any other number is reached from the 256 that libimagequant
 * finds: again and again the two colours are merged whose merging changes least,
 * which is the sum of squares over all pixels that have them (Equitz, "A new vector
 * quantization clustering algorithm", IEEE Transactions on Acoustics, Speech and
 * Signal Processing 37 (1989): pairwise nearest neighbour).
 */
#ifndef IMAGE_FEWER_COLOURS_H
#define IMAGE_FEWER_COLOURS_H

#include "image/pipeline.h"

enum { COLOURS_MAX = 256 };

/* colours: 2 to COLOURS_MAX.  Keeps the fields. */
bool picture_to_fewer_colours(VipsImage *image, unsigned colours, VipsImage **reduced, struct failure *why);

#endif
