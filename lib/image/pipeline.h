/*
 * pipeline - the steps that turn one file into another.  Private to image/.
 *
 * A picture on its way is one VipsImage pointer: each step reads *image, builds
 * on it and replaces it, so whoever called owns exactly one reference before
 * and after, also when the step fails.  Steps before picture_decode() are lazy:
 * libvips only notes them, and the bytes are parsed when it asks for pixels.
 */
#ifndef IMAGE_PIPELINE_H
#define IMAGE_PIPELINE_H

#include "base/failure.h"
#include "image/description.h"
#include "recipe/geometry.h"
#include "recipe/recipe.h"

#include <stdbool.h>
#include <vips/vips.h>

/* ---- vips_failure.c: the errors of libvips ------------------------------------- */

/* Fills *why from libvips' error buffer, clears the buffer, returns false.
 * `step` is what we were doing: "decoding". */
bool fail_from_vips(struct failure *why, enum failure_kind kind, const char *step);

/*
 * libjpeg goes on after most faults and only says what it met.  Some are harmless
 * and common in files of real cameras (extraneous bytes, odd scan parameters);
 * these are pixels that were made up.  False and FAIL_UNPROCESSABLE when the
 * error buffer tells of one; it is emptied in any case.
 */
bool fail_for_made_up_pixels(struct failure *why);

/* *image = next; the old one lives on as long as the new one needs it. */
void image_replace(VipsImage **image, VipsImage *next);

/* ---- source.c: a file that was recognised and is within the limits --------------- */

struct source {
	VipsSource *bytes;
	VipsImage *image;	/* header read, no pixel decoded */
	struct image_description description;
};

/* On failure there is nothing to close. */
bool source_open(struct source *source, int input, const struct image_limits *limits, struct failure *why);
void source_close(struct source *source);

/* The image, upright or not as stored, possibly smaller by what the decoder can
 * do at less cost, but never smaller than asked: the geometry is upright. */
bool source_load(const struct source *source, const struct geometry *geometry, VipsImage **image,
    struct failure *why);

/* ---- resize.c: from the stored pixels to the upright, scaled picture ------------- */

/* How many pixels the upright picture has. */
void upright_size(const struct image_description *description, unsigned *width, unsigned *height);

/* Cuts the geometry's source rectangle out and scales it to its exact size. */
bool picture_scale(VipsImage **image, const struct image_description *description,
    const struct geometry *geometry, struct failure *why);

/* Runs everything up to here into memory: this is where damage is found. */
bool picture_decode(VipsImage **image, struct failure *why);

/* Turns it upright (EXIF orientation) and forgets that it ever lay. */
bool picture_orient(VipsImage **image, unsigned orientation, struct failure *why);

/* ---- colour.c ---------------------------------------------------------------------- */

/* To 8 bits of sRGB, or of grey for what was grey and untagged. */
bool picture_to_srgb(VipsImage **image, struct failure *why);

/* ---- canvas.c ----------------------------------------------------------------------- */

/* Cuts, puts on the background where one is needed, pads. */
bool picture_to_canvas(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why);

/* ---- credit.c: the only metadata that survives --------------------------------------- */

/* Removes every field except whose work it is.  *has_credit: something is left. */
bool picture_keep_credit(VipsImage **image, bool *has_credit, struct failure *why);

/* ---- encode.c, output.c ---------------------------------------------------------------- */

/* Where encoded bytes go: a descriptor, from offset 0, at most so many. */
struct output {
	int fd;
	uint64_t bytes, max_bytes;
	int error;		/* errno of the write that failed */
	bool is_too_large;
};

/* write(2) for encoders; the reason of a failure stays in *output. */
bool output_write(struct output *output, const void *bytes, size_t length);

/* A libvips target over *output, which must outlive it. */
VipsTarget *output_target(struct output *output);

bool picture_encode(VipsImage *image, enum media format, unsigned quality, bool has_credit,
    struct output *output, struct failure *why);

#endif
