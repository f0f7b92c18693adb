/*
 * policy - whether this request may have this variant of this asset.
 */
#ifndef ASSET_POLICY_H
#define ASSET_POLICY_H

#include "asset/asset.h"
#include "asset/token.h"
#include "base/failure.h"
#include "recipe/recipe.h"

enum { POLICY_LADDER_MAX = 32 };

enum policy_unsigned {
	UNSIGNED_LADDER = 0,	/* a preset, or w from the ladder; either with dpr 1, 2 or 3 */
	UNSIGNED_PRESETS,	/* one preset only */
	UNSIGNED_ANY,		/* every recipe without text, and "original" where nothing is imposed on it */
	UNSIGNED_NONE,		/* nothing */
	UNSIGNED_COUNT
};

struct policy_config {
	enum policy_unsigned unsigned_urls;
	unsigned ladder[POLICY_LADDER_MAX];	/* widths in pixels, ascending */
	unsigned ladder_count;
	bool credit_is_imposed;			/* on every asset that has one, not only where its row says so */
};

/*
 * Before the recipe's focal point is resolved.  FAIL_GONE when the asset is
 * taken down or has expired at `now` (Unix seconds); FAIL_FORBIDDEN, with the
 * operation in the detail, for what needs a (better) token.  max_side of a
 * permit bounds both what is asked (w and h times dpr) and the exact size of the
 * result, so a crop outside the image, or a result over the general limits, fails
 * here as geometry_plan() says.  Where the size cannot be known before the pixels
 * are (recipe_size_needs_pixels), a box of w and h in pixels must bound it.  A text
 * of the client's own needs a token whatever the settings say.  So do, of an asset that
 * imposes a watermark or its credit, "original" and what would move the picture out from
 * under them (round, free angles, pad, fill; presets alone may): no free URL gets around them.
 * `format` is MEDIA_NONE for "auto": what is chosen
 * for it must be asked of permit_allows_format().  For "original" it does not count.
 */
bool policy_allows(const struct policy_config *config, const struct asset *asset,
    const struct permit *permit, const struct recipe *recipe, enum media format, int64_t now,
    struct failure *why) __attribute__((warn_unused_result));

/* Whether this request may read what is known of the asset: info.json.  Strangers may
 * where they may have any variant of it, and so may every token for it.  FAIL_GONE,
 * FAIL_FORBIDDEN. */
bool policy_allows_info(const struct policy_config *config, const struct asset *asset,
    const struct permit *permit, int64_t now, struct failure *why) __attribute__((warn_unused_result));

#endif
