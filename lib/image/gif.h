/*
 * gif - whether a GIF is there as a whole.
 *
 * libnsgif takes what it has of a file that is cut off for all of it, so an
 * animation would come out with fewer frames and without an error.
 */
#ifndef IMAGE_GIF_H
#define IMAGE_GIF_H

#include "base/text.h"

/* Whether the file ends within a block (GIF89a specification, appendix A).  Behind
 * the trailer, and from a block of no known kind on, nothing is looked at; a file
 * that only lacks the trailer is not cut off. */
bool gif_is_cut_off(struct span file);

#endif
