/*
 * dressing - what is laid over an asset's pictures: a watermark, the credit, a
 * text.
 *
 * The configuration names the watermarks and says how credits look; the asset
 * may carry a watermark and a credit, and impose them; a URL may ask for more.
 * Here the three meet and become a struct overlays, in which nothing is a name
 * any longer.
 *
 * Promises: what an asset imposes is in the result or there is no result.  An
 * asset's own watermark stands in the place of the one that the URL asks for.
 */
#ifndef ASSET_DRESSING_H
#define ASSET_DRESSING_H

#include "asset/asset.h"
#include "base/digest.h"
#include "base/failure.h"
#include "recipe/overlay.h"
#include "recipe/recipe.h"

enum {
	WATERMARKS_MAX = 16,
	WATERMARK_BYTES_MAX = 16 * 1024 * 1024	/* of a file: it is read whole at every start */
};

struct watermark {
	const char *name;	/* [a-z0-9_-]{1,32} */
	const char *asset;	/* the mark is this asset's original; "": it is a file */
	const char *file;	/* absolute path; "": it is an asset */
	struct mark mark;	/* how it is laid */
	int fd;			/* of the file once it has been opened; else -1 */
	struct key key;		/* of the file's content, then */
};

struct dressing_config {
	struct watermark watermarks[WATERMARKS_MAX];
	unsigned watermark_count;
	struct caption credit;		/* how credits and texts look; has no text itself */
	bool credit_is_imposed;		/* on the pictures of every asset that has one */
};

struct dressing {
	struct overlays overlays;
	const struct watermark *watermark;	/* whose picture overlays.mark is; NULL: there is none */
};

/* NULL when there is none of that name. */
const struct watermark *watermark_find(const struct dressing_config *config, const char *name);

/* Opens the watermark's file and names its content, once; nothing to do for an
 * asset.  The descriptor serves as long as the process, also when the path has
 * another file meanwhile.  FAIL_INTERNAL when it is no picture. */
bool watermark_open(struct watermark *watermark, struct failure *why) __attribute__((warn_unused_result));

/* FAIL_BAD_REQUEST for a watermark in the recipe that is not configured;
 * FAIL_INTERNAL for one in the row; FAIL_UPSTREAM for a credit in the row that is
 * not one line of UTF-8.  Nothing is laid over "original". */
bool dressing_choose(const struct dressing_config *config, const struct asset *asset,
    const struct recipe *recipe, struct dressing *dressing, struct failure *why)
    __attribute__((warn_unused_result));

#endif
