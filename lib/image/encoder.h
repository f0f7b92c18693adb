/*
 * encoder - from a finished picture to a file in memory: one format, one row, one
 * function.
 *
 * Everything arrives as 8-bit RGB or grey, with or without alpha, and with no
 * metadata but what is to be written.
 */
#ifndef IMAGE_ENCODER_H
#define IMAGE_ENCODER_H

#include "image/pipeline.h"

/* A file in memory; at most so many bytes. */
struct draft {
	GByteArray *bytes;
	uint64_t max_bytes;
	bool is_too_large;	/* it would have been longer; the bytes are of no use */
};

void draft_init(struct draft *draft, uint64_t max_bytes);
void draft_release(struct draft *draft);
struct span draft_span(const struct draft *draft);

struct encoder_settings {
	enum media format;
	unsigned quality;	/* 1..100, where the format has one */
	unsigned colours;	/* PNG: 0 for all, else as GIF: at most so many */
	bool is_lossless;
	bool is_progressive;
	enum recipe_subsample subsample;
};

/* As the recipe says, else the defaults; for QUALITY_AUTO the default quality. */
struct encoder_settings encoder_settings_for(const struct recipe *recipe, enum media format);

/* Whether settings->quality decides something. */
bool encoder_has_quality(const struct encoder_settings *settings);

/* What a side of a file can have, by the format itself. */
unsigned encoder_max_side(enum media format);

/* FAIL_UNPROCESSABLE when the file would have more than draft->max_bytes; then and on
 * every failure the draft holds nothing of use, but can be encoded into again. */
bool encoder_write(VipsImage *image, const struct encoder_settings *settings, struct draft *draft,
    struct failure *why);

#endif
