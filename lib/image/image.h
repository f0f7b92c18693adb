/*
 * image - everything that touches pixels.  Linked into the renderer only.
 *
 * libvips objects never leave this folder.  Files are read and written through
 * descriptors; nothing is opened by name.  Each function checks the header
 * against the limits before a pixel is decoded, reports damage as
 * FAIL_UNPROCESSABLE and what it cannot read as FAIL_UNSUPPORTED, and leaves
 * no memory behind (image_check_memory).
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/failure.h"
#include "image/description.h"
#include "recipe/overlay.h"
#include "recipe/recipe.h"

/* Once, at the start of the process: loads libvips with all its modules and what
 * else may not be loaded later, forbids the loaders that are not on our list, and
 * turns the cache off.  Makes no thread.  FAIL_INTERNAL. */
bool image_init(const char *program_name, struct failure *why) __attribute__((warn_unused_result));

/* Then, still before the first job: finds the fonts, which from here on are the
 * only files that are opened by name.  Makes threads.  FAIL_INTERNAL. */
bool image_warm_up(struct failure *why) __attribute__((warn_unused_result));

void image_shutdown(void);

/* The header, and with portrait not NULL also the looks, for which the first
 * frame is decoded: a file that is cut off fails then. */
bool image_describe(int input, const struct image_limits *limits, struct image_description *description,
    struct image_portrait *portrait, struct failure *why) __attribute__((warn_unused_result));

/* The pixels of an original, kept for its mezzanine. */
struct image_base;

/* What was decoded for one job, for the next ones of the same file, in memory that renderers share
 * (render/renderer_process.h).  NULL, which stands for nothing, where that cannot be mapped.  What was not used
 * for so long is given back; false when that is not all. */
struct image_kept;

struct image_kept *image_kept_open(int memory);
bool image_kept_forget(struct image_kept *kept, int64_t unused_ms);
void image_kept_close(struct image_kept *kept);

/* What a variant is made from and of. */
struct image_work {
	int input, output;	/* the output is written from offset 0 */
	int mark;		/* the picture that overlays->mark lays over the result; -1: none */
	const struct recipe *recipe;
	const struct overlays *overlays;
	enum media format;
	struct image_limits limits;
	enum mezzanine_wish mezzanine_wish;
	int mezzanine;			/* MEZZANINE_USE: read where it serves, else as if it were not there */
	struct image_base **base;	/* MEZZANINE_LEAVE: the fate MEZZANINE_FOLLOWS sets it */
	struct image_kept *kept;	/* used and replaced; NULL: each job is the first */
};

bool image_render(const struct image_work *work, struct image_outcome *outcome, struct failure *why)
    __attribute__((warn_unused_result));

/* Writes the mezzanine, from offset 0: nothing at all when there can be none of these
 * pixels.  Frees them in any case. */
bool image_leave_mezzanine(struct image_base *base, int output, uint64_t max_bytes, struct failure *why)
    __attribute__((warn_unused_result));

/* For builds that look for leaks: ends the process when the last call left
 * memory behind.  libvips' threads give theirs back a moment after the call,
 * so this may wait, up to a second. */
void image_check_memory(void);

#endif
