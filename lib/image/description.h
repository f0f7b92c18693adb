/*
 * description - what a decoder finds in a file, and the limits it works under.
 *
 * Plain values without libvips, so that those who only talk about pictures
 * (the job protocol, the importer) can use them too.
 */
#ifndef IMAGE_DESCRIPTION_H
#define IMAGE_DESCRIPTION_H

#include "http/media.h"

#include <stdbool.h>
#include <stdint.h>

struct image_description {
	enum media media;
	unsigned width, height;		/* as stored, before orientation */
	unsigned frames;
	unsigned orientation;		/* EXIF, 1 to 8 */
	bool has_alpha;
	bool is_progressive;		/* progressive JPEG, interlaced PNG: decoded as a whole */
};

struct image_limits {
	uint64_t max_pixels;		/* width x height x frames of the source */
	uint64_t max_output_bytes;
};

/* What making a variant cost and gave. */
struct image_outcome {
	struct image_description source;
	unsigned width, height;		/* of the output */
	uint64_t bytes;			/* of the output */
	unsigned decode_us, total_us;
};

#endif
