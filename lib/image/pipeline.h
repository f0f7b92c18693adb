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
#include "image/image.h"
#include "recipe/geometry.h"
#include "recipe/overlay.h"
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

/* ---- provision.c: what cannot be loaded later ------------------------------------ */

/* Once, after vips_init(). */
bool image_provide(struct failure *why);

/* ---- source.c: a file that was recognised and is within the limits --------------- */

struct source {
	VipsSource *bytes;
	VipsImage *image;	/* header read, no pixel decoded: one frame, or all below each other */
	struct image_description description;
	unsigned page;		/* the one that is used, from 1; 0: what stands for the file */
	unsigned frames;	/* how many are used: 1, or all of an animation */
	VipsImage *base;	/* the whole picture, when it is taken from elsewhere: see mezzanine.c, kept.c */
	VipsImage *mezzanine;	/* the pixels that one is to be made of, and by how much it is smaller than these */
	unsigned mezzanine_shrink;
	bool has_lost_alpha;	/* base has, which was nearly opaque: see mezzanine.c */
	bool is_asked_again;	/* a moment ago there was a job for the same file */
};

/* Which frames are used follows from the recipe and the output format; recipe
 * NULL: the first, to describe it.  Another page than exists is FAIL_BAD_REQUEST.
 * On failure there is nothing to close. */
bool source_open(struct source *source, int input, const struct recipe *recipe, enum media format,
    const struct image_limits *limits, struct failure *why);
void source_close(struct source *source);

/* How often the wanted part of the picture is larger than its result, by the side that
 * shrinks less. */
double shrink_factor(const struct geometry *geometry);

/* The image, upright or not as stored, possibly smaller by what the decoder can
 * do at less cost, but never smaller than scaled_width x scaled_height for
 * geometry->source: the geometry is upright.  Of what is asked again a JPEG gives as much as
 * most results need. */
bool source_load(const struct source *source, const struct geometry *geometry, VipsImage **image,
    struct failure *why);

/* The same for a look at the pixels before source_load(), whose rows can be read
 * only once: opens the file once more.  `frames` is 1 or source->frames. */
bool source_load_aside(const struct source *source, unsigned frames, const struct geometry *geometry,
    VipsImage **image, struct failure *why);

/* The whole of a still as it is stored; of a JPEG 1, 2, 4 or 8 times smaller. */
bool source_load_shrunk(const struct source *source, unsigned shrink, VipsImage **image, struct failure *why);

/* ---- bomb.c: small files that cost a decoder too much ----------------------------------- */

/* What no decoder limits: metadata of a PNG, elements and entities of an SVG, scans of
 * a JPEG, chunks of a WebP.  FAIL_UNPROCESSABLE names the limit. */
bool file_is_no_bomb(int input, enum media media, struct failure *why);

/* ---- find.c: what only the pixels know --------------------------------------------- */

/* trim: sets size->visible, over all frames.  FAIL_UNPROCESSABLE when nothing is left. */
bool source_find_visible(const struct source *source, const struct recipe *recipe,
    struct geometry_source *size, struct failure *why);

/* g=smart, g=entropy: replaces them in the recipe by the point they stand for,
 * found in a small version of the first frame.  `centred` is the plan without it. */
bool source_find_point(const struct source *source, const struct geometry_source *size,
    const struct geometry *centred, struct recipe *recipe, struct failure *why);

/* ---- frames.c: each frame by itself -------------------------------------------------- */

struct frames {
	VipsImage **images;
	unsigned count;
	int *delays_ms;		/* of each; NULL for a still */
	int loop;		/* 0: for ever */
};

/* Decodes and scales all frames that are used; here damage is found.  On failure
 * there is nothing to release. */
bool frames_load(struct frames *frames, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why);
void frames_release(struct frames *frames);

/* One image again: the frames below each other, with their times. */
bool frames_join(const struct frames *frames, VipsImage **image, struct failure *why);

/* ---- resize.c: from the stored pixels to the scaled picture --------------------------- */

/* Cuts the geometry's source rectangle out and scales it, to
 * picture_size_before_turning(). */
bool picture_scale(VipsImage **image, const struct image_description *description, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why);

/* Transparent pixels have a colour too, which must not bleed into their neighbours:
 * while pixels are mixed, colours are weighted by alpha, as floats.  Back to
 * `format`, whole numbers are rounded. */
bool picture_weigh(VipsImage **image, struct failure *why);
bool picture_unweigh(VipsImage **image, VipsBandFormat format, struct failure *why);

/* To this size exactly, colours weighted by alpha. */
bool picture_resize(VipsImage **image, unsigned width, unsigned height, struct failure *why);

/* Runs everything up to here into memory: this is where damage is found. */
bool picture_decode(VipsImage **image, struct failure *why);

/* A picture to be written, like another, in memory of the caller's that is large enough for that;
 * NULL: in its own.  May be written to once. */
VipsImage *picture_in(void *memory, VipsImage *like);

/* ---- halve.c ------------------------------------------------------------------------- */

/* Without alpha. */
int picture_colour_bands(VipsImage *image);

/* RGB or grey of 8 bits, with or without alpha: what a JPEG holds without a change of its numbers. */
bool picture_is_plain(VipsImage *image);

/* Plain and opaque, with even sides, of which nothing is left out: that would move all others by a part of
 * a pixel. */
bool picture_is_halved_well(VipsImage *image);

/* The colours of a plain picture.  Without its alpha, which must be opaque: else they are mixed with colours
 * that nobody sees.  FAIL_UNPROCESSABLE where it is damaged. */
bool picture_halve(VipsImage **image, struct failure *why);

/* ---- opaque.c: alpha channels that say nothing ------------------------------------------ */

/* A pixel with less is worth another look; more is as good as opaque where a little is lost anyway. */
enum { NEARLY_OPAQUE = 252, OPAQUE = 255 };

/* Like picture_decode(), but without an alpha channel that is opaque everywhere, and into picture_in(). */
bool picture_decode_colours(VipsImage **image, void *memory, struct failure *why);

/* Of a plain picture in memory; where there is less than NEARLY_OPAQUE, not necessarily the lowest. */
VipsPel picture_lowest_alpha(VipsImage *image);
bool picture_drop_alpha(VipsImage **image, struct failure *why);

/* Where the source has an alpha channel and the picture that was made of it has none: an opaque one.  Scaling costs
 * less without. */
bool picture_restore_alpha(VipsImage **image, const struct source *source, struct failure *why);

/* ---- narrow.c ------------------------------------------------------------------------ */

/* To this width, which is not more, and the same height.  The picture is plain and without alpha.
 * FAIL_UNPROCESSABLE where it is damaged. */
bool picture_narrow(VipsImage **image, int width, struct failure *why);

/* ---- colour.c ---------------------------------------------------------------------- */

/* To 8 bits of sRGB, or of grey for what was grey and untagged; with another icc to
 * 8 bits of that space, and its profile then stays on the image. */
bool picture_to_colour_space(VipsImage **image, enum recipe_icc icc, struct failure *why);

/* One that is obeyed: it is for as many channels as the picture has. */
bool picture_has_profile(VipsImage *image);

/* At the end: a profile for grey on what has become coloured (a border, a tint) is
 * applied and removed, and grey under a profile for RGB gets three bands. */
bool picture_settle_profile(VipsImage **image, struct failure *why);

/* Colours need three bands: grey becomes RGB, keeping its alpha. */
bool picture_to_rgb(VipsImage **image, struct failure *why);
bool picture_add_alpha(VipsImage **image, struct failure *why);

/* ---- turn.c -------------------------------------------------------------------------- */

/* EXIF (2.32, tag 274): 5 to 8 lie on their side. */
bool orientation_swaps_sides(unsigned orientation);

/* That of the original, or 1 when the recipe says orient=off. */
unsigned orientation_to_undo(unsigned orientation, const struct recipe *recipe);

/* Where a rectangle of the upright picture is in the stored one, and back; each
 * with the sides of the picture that it goes to. */
struct rectangle rectangle_as_stored(struct rectangle upright, unsigned orientation, unsigned stored_width,
    unsigned stored_height);
struct rectangle rectangle_as_upright(struct rectangle stored, unsigned orientation, unsigned upright_width,
    unsigned upright_height);

/* The size of the upright picture from which rot makes the geometry's scaled size:
 * exactly by quarters, by other angles with the sides' true ratio. */
void picture_size_before_turning(const struct recipe *recipe, const struct geometry *geometry, unsigned *width,
    unsigned *height);

/* Upright (EXIF orientation, unless orient=off), then rot, then flip; afterwards it
 * has the geometry's scaled size.  What a free angle opens is transparent in every
 * format, until picture_to_canvas(). */
bool picture_turn(VipsImage **image, unsigned orientation, const struct recipe *recipe,
    const struct geometry *geometry, enum media format, struct failure *why);

/* ---- adjust.c, focus.c ----------------------------------------------------------------- */

/* bri con sat hue gamma gray sepia duotone tint blur pixelate sharpen usm, in this order. */
bool picture_adjust(VipsImage **image, const struct recipe *recipe, struct failure *why);

/* The last four of them. */
bool picture_focus(VipsImage **image, const struct recipe *recipe, struct failure *why);

/* ---- canvas.c ----------------------------------------------------------------------- */

/* Into memory that nobody else reads, for steps that write into it. */
bool picture_own(VipsImage **image, struct failure *why);

/* The colour behind the picture: as asked, or nothing, or white. */
struct recipe_colour background_for(const struct recipe *recipe, enum media format);

/* Keeps the geometry's cut of the scaled picture. */
bool picture_cut(VipsImage **image, const struct geometry *geometry, struct failure *why);

/* Puts it on the background where one is needed, pads it to the canvas. */
bool picture_to_canvas(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why);

/* border, then round; what round opens is the background, or transparent, or white. */
bool picture_to_frame(VipsImage **image, const struct recipe *recipe, const struct geometry *geometry,
    enum media format, struct failure *why);

/* ---- layers.c, mark.c, caption.c: what lies over the picture --------------------------- */

/* The mark, and of each caption the shadow and the letters. */
enum { LAYERS_MAX = 1 + 2 * CAPTION_COUNT_MAX };

struct layer {
	VipsImage *image;	/* RGBA, 8 bits, in memory */
	int left, top;		/* on the canvas, over whose edges it may hang */
	bool is_tiled;		/* instead: from the top left over all of it, ... */
	int gap;		/* ... so many pixels apart */
};

struct layers {
	struct layer layers[LAYERS_MAX];
	unsigned count;
};

/* Once, at the start of the process: finds the fonts by drawing a word. */
bool captions_prepare(struct failure *why);

/* Made once for all frames.  What is smaller than its limit says is left out.
 * `mark` is the descriptor of the mark's picture or -1.  On failure there is
 * nothing to release. */
bool layers_make(struct layers *layers, const struct overlays *overlays, int mark,
    const struct geometry *geometry, const struct image_limits *limits, struct failure *why);
void layers_release(struct layers *layers);
bool picture_lay(VipsImage **image, const struct layers *layers, struct failure *why);

/* Each adds nothing, its own layer, or its own layers. */
bool layers_add_mark(struct layers *layers, const struct mark *mark, int input, const struct geometry *canvas,
    const struct image_limits *limits, struct failure *why);
bool layers_add_caption(struct layers *layers, const struct caption *caption, const struct geometry *canvas,
    struct failure *why);

/* Takes over the layer's image. */
void layers_add(struct layers *layers, struct layer layer);

/* The rule of struct mark and struct caption, for canvases that are too small. */
bool layer_is_left_out(unsigned min_width, unsigned min_height, bool is_imposed, const struct geometry *canvas);

/* A fraction of a side in pixels, rounded half up; a margin is one of the shorter side. */
unsigned layer_length(double fraction, unsigned side);
unsigned layer_margin(double fraction, const struct geometry *canvas);

/* Sets left and top: so far from the edges, in the middle rounded down, and within
 * the canvas as long as it fits there. */
void layer_place(struct layer *layer, enum recipe_gravity position, unsigned margin,
    const struct geometry *canvas);

/* ---- metadata.c, credit.c: what survives ----------------------------------------------- */

/* Removes every field of the result, except what makes it an animation, and puts
 * back what strip keeps of the original's.  *has_metadata: something is left. */
bool picture_set_metadata(VipsImage **image, VipsImage *original, const struct recipe *recipe,
    bool *has_metadata, struct failure *why);

/* ---- portrait.c ------------------------------------------------------------------------ */

bool source_portray(const struct source *source, struct image_portrait *portrait, struct failure *why);

/* ---- encode.c, output.c ---------------------------------------------------------------- */

/* Where encoded bytes go: a descriptor, from offset 0, at most so many. */
struct output {
	int fd;
	uint64_t bytes, max_bytes;
	int error;		/* errno of the write that failed */
	bool is_too_large;
};

/* Writes all of them; the reason of a failure stays in *output. */
bool output_write(struct output *output, const void *bytes, size_t length);

/* Everything that decides how a picture becomes a file. */
struct encoding {
	const struct recipe *recipe;
	enum media format;
	bool has_metadata;
	bool is_untouched;	/* nothing visible was asked: must not become larger than the original */
	const struct source *source;
	int input;		/* the original's descriptor */
};

bool picture_encode(VipsImage *image, const struct encoding *encoding, struct output *output,
    struct failure *why);

/* ---- mezzanine.c: pixels of a whole original that serve again --------------------------- */

/* Sets source->base from a mezzanine of it; false when the file serves not, whatever the reason. */
bool mezzanine_use(struct source *source, int mezzanine, const struct geometry *geometry,
    const struct image_limits *limits);

/* Sets source->base from the source itself, in memory, if a mezzanine can be made of that:
 * *fate says so.  All pixels are kept, where that is possible.  Fails where the picture is damaged. */
bool mezzanine_keep_base(struct source *source, const struct image_work *work, const struct geometry *geometry,
    enum mezzanine_fate *fate, struct failure *why);

/* The file, smaller than the base by so much. */
bool mezzanine_write(VipsImage **base, unsigned shrink, struct output *output, struct failure *why);

/* ---- kept.c: pixels that serve the next job of the same file ----------------------------- */

/* All of these take NULL, for callers who keep nothing. */

/* The job's slot: that of its file, or one for it, if there is one and it is worth that.  Whether a job before
 * was of the same file. */
bool kept_meet(struct image_kept *kept, int input, const struct image_description *description);

/* Sets source->base from what is kept, if that is enough for the result and good enough for the wish. */
bool kept_serves(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish);

/* Whether all pixels of the picture can be kept. */
bool kept_can_hold_all(struct image_kept *kept, const struct source *source);

/* Then where it may be decoded to, to be kept at no cost; NULL: anywhere. */
void *kept_room(struct image_kept *kept, VipsImage *image);

/* And keeps these, in memory and without alpha, and halves of them.  Not exact is what has lost something. */
void kept_hold_all(struct image_kept *kept, VipsImage *pixels, bool is_exact);
void kept_hold_halves(struct image_kept *kept, VipsImage *pixels);

/* Keeps the pixels that source_load() gives, unless all are kept already, or these are too many or of no use to
 * others, and sets source->base as kept_serves() will.  Fails where the picture is damaged. */
bool kept_hold(struct image_kept *kept, struct source *source, const struct geometry *geometry,
    enum mezzanine_wish wish, enum mezzanine_fate fate, struct failure *why);

/* From now on others may read what this job has kept. */
void kept_share(struct image_kept *kept);

/* The job reads it no longer: no picture may be left that is made of it.  What is not good is dropped. */
void kept_part(struct image_kept *kept, bool is_good);

#endif
