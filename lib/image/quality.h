/*
 * quality - the right quality for this picture, found by trying.
 *
 * Both searches halve the range of what is still possible, so they are bounded,
 * and leave the file that they chose in *draft and what it was made with in *settings.
 */
#ifndef IMAGE_QUALITY_H
#define IMAGE_QUALITY_H

#include "image/encoder.h"

/* Mean structural similarity (similarity.h) that q=auto reaches.  What it costs and
 * saves is measured in docs/encoding.md. */
#define QUALITY_TARGET 0.97

enum {
	QUALITY_TRIES = 5,	/* encodings for q=auto */
	QUALITY_FIT_TRIES = 5,	/* encodings for max-bytes, besides that of the first quality */
	QUALITY_FLOOR = 5,	/* lower does not save much, and can hardly be looked at */
	COLOURS_FLOOR = 2
};

/*
 * q=auto: the lowest quality within the format's bounds at which the decoded file is as
 * similar to the picture as QUALITY_TARGET.  Of a picture of more than about a megapixel,
 * a part of that size in its middle is tried.  A picture too small to
 * measure gets the default quality.
 */
bool quality_find_similar(VipsImage *image, struct encoder_settings *settings, struct draft *draft,
    struct failure *why);

enum quality_answer { QUALITY_FITS, QUALITY_TOO_LARGE, QUALITY_FAILED };

/*
 * max-bytes: the highest quality below settings->quality, and not below QUALITY_FLOOR,
 * or the largest palette below settings->colours, whose file has at most so
 * many bytes.  QUALITY_TOO_LARGE: not even the lowest, which *draft then holds.
 */
enum quality_answer quality_find_fitting(VipsImage *image, struct encoder_settings *settings, uint64_t max_bytes,
    struct draft *draft, struct failure *why);

#endif
