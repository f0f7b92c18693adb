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
	unsigned width, height;		/* of one frame as stored, before orientation */
	unsigned frames;		/* of an animation; pages of a TIFF, pictures in a HEIC */
	unsigned orientation;		/* EXIF, 1 to 8 */
	bool has_alpha;
	bool is_progressive;		/* progressive JPEG, interlaced PNG: decoded as a whole */
};

enum {
	PORTRAIT_PALETTE_MAX = 5,
	PORTRAIT_BLURHASH_MAX = 28,	/* 4 x 3 components: 4 + 2 * 12 characters */
	PORTRAIT_THUMBHASH_MAX = 36,	/* 25 bytes at most, base64 with padding */
	PORTRAIT_PLACEHOLDER_MAX = 599	/* a data: URI of under 600 bytes */
};

/*
 * How a picture looks, in a few bytes: of its first frame, upright, on white where
 * it is transparent (but ThumbHash knows alpha).  Texts are ASCII.
 */
struct image_portrait {
	uint8_t dominant[3];					/* sRGB */
	uint8_t palette[PORTRAIT_PALETTE_MAX][3];		/* by the area they stand for, largest first */
	unsigned palette_count;					/* 1 to 5 */
	char blurhash[PORTRAIT_BLURHASH_MAX + 1];		/* blurha.sh, base 83 */
	char thumbhash[PORTRAIT_THUMBHASH_MAX + 1];		/* evanw.github.io/thumbhash, base64 */
	char placeholder[PORTRAIT_PLACEHOLDER_MAX + 1];		/* data:image/webp;base64,... */
};

struct image_limits {
	uint64_t max_pixels;		/* width x height of what is decoded, scaled or made */
	uint64_t max_animation_pixels;	/* width x height x frames, of the source and of the result */
	unsigned max_frames;		/* of an animation; pages of a file */
	uint64_t max_output_bytes;
};

/* What an original has at least, to be worth a mezzanine: smaller ones are decoded about as
 * fast.  And so much larger than the result it is in each direction. */
enum { MEZZANINE_PIXELS_MIN = 3000000, MEZZANINE_SHRINK_MIN = 2 };

/* A small one has sides of at most so much, because most results are small and a JPEG is read
 * as a whole whatever its scale; a large one has all pixels, or as many as are held in memory
 * until it is written: 72 MB, 96 with alpha.  Neither is less than an eighth of the original. */
enum { MEZZANINE_SMALL_SIDE = 3200, MEZZANINE_PIXELS_MAX = 24000000, MEZZANINE_SHRINK_MAX = 8 };

/* Only what has one picture, of which all is decoded, whatever the size of the result; an
 * SVG is drawn at any size, and a GIF has few colours and hard edges. */
static inline bool
description_is_worth_a_mezzanine(const struct image_description *description)
{
	switch (description->media) {
	case MEDIA_JPEG:
		if (!description->is_progressive)
			return false;
		break;
	case MEDIA_PNG:
	case MEDIA_WEBP:
	case MEDIA_AVIF:
	case MEDIA_HEIC:
	case MEDIA_TIFF:
	case MEDIA_JXL:
		break;
	default:
		return false;
	}
	return description->frames == 1 &&
	    (uint64_t)description->width * description->height >= MEZZANINE_PIXELS_MIN;
}

/* By how much the sides of an original's small mezzanine are divided, and of its large one. */
static inline unsigned
description_small_shrink(const struct image_description *description)
{
	unsigned side = description->width > description->height ? description->width : description->height;
	unsigned shrink = 1;

	while (shrink < MEZZANINE_SHRINK_MAX && side > MEZZANINE_SMALL_SIDE * shrink)
		shrink *= 2;
	return shrink;
}

static inline unsigned
description_shrink_below(const struct image_description *description, uint64_t pixels_max)
{
	uint64_t pixels = (uint64_t)description->width * description->height;
	unsigned shrink = 1;

	while (shrink < MEZZANINE_SHRINK_MAX && pixels / (shrink * shrink) > pixels_max)
		shrink *= 2;
	return shrink;
}

static inline unsigned
description_large_shrink(const struct image_description *description)
{
	return description_shrink_below(description, MEZZANINE_PIXELS_MAX);
}

/* Renderers keep a picture in memory, for the next jobs, with all of its pixels if they are no more than these;
 * of a larger JPEG what libjpeg gives at a half or less. */
enum { KEPT_PIXELS_MAX = 18000000, KEPT_BYTES_MAX = 3 * KEPT_PIXELS_MAX };

/* It lies in slots (image/slots.h), each for one picture: its colours and halves of them, or its colours and alpha,
 * which is as much.  Multiples of a page. */
enum { SLOT_INDEX_BYTES = 65536, SLOT_BYTES = (KEPT_BYTES_MAX / 3 * 4 | 65535) + 1, SLOTS_MAX = 256 };

static inline unsigned
description_kept_shrink(const struct image_description *description)
{
	return description_shrink_below(description, KEPT_PIXELS_MAX);
}

/* The one for a result that is so many times smaller than the original. */
static inline unsigned
description_mezzanine_shrink(const struct image_description *description, double factor)
{
	unsigned small = description_small_shrink(description);

	return factor >= small * MEZZANINE_SHRINK_MIN ? small : description_large_shrink(description);
}

/* Whether a mezzanine of the original takes part in making a variant: image/mezzanine.c. */
enum mezzanine_wish { MEZZANINE_WITHOUT, MEZZANINE_USE, MEZZANINE_LEAVE, MEZZANINE_WISH_COUNT };

/* What became of that. */
enum mezzanine_fate {
	MEZZANINE_NONE,		/* nothing: the variant was made without */
	MEZZANINE_USED,		/* or what is in memory of the picture */
	MEZZANINE_FOLLOWS,	/* it is written after the variant */
	MEZZANINE_NEVER,	/* there can be none of this original */
	MEZZANINE_FATE_COUNT
};

/* What making a variant cost and gave. */
struct image_outcome {
	struct image_description source;
	unsigned width, height;		/* of the output */
	unsigned frames;		/* of the output */
	uint64_t bytes;			/* of the output */
	unsigned decode_us, total_us;
	enum mezzanine_fate mezzanine;
	bool is_from_kept;		/* of pixels that the job before has decoded */
};

#endif
