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
	UNSIGNED_LADDER = 0,	/* presets, and w (with dpr 1, 2 or 3) from the ladder */
	UNSIGNED_PRESETS,	/* presets only */
	UNSIGNED_ANY,		/* every recipe, "original" included */
	UNSIGNED_NONE,		/* nothing */
	UNSIGNED_COUNT
};

struct policy_config {
	enum policy_unsigned unsigned_urls;
	unsigned ladder[POLICY_LADDER_MAX];	/* widths in pixels, ascending */
	unsigned ladder_count;
};

/*
 * Before the recipe's focal point is resolved.  FAIL_GONE when the asset is
 * taken down or has expired at `now` (Unix seconds); FAIL_FORBIDDEN, with the
 * operation in the detail, for what needs a (better) token.  max_side of a
 * permit is compared with w and h times dpr, and when neither is asked with
 * the longest side of the upright (cropped) original.  `format` is MEDIA_NONE
 * for "auto" and "original".
 */
bool policy_allows(const struct policy_config *config, const struct asset *asset,
    const struct permit *permit, const struct recipe *recipe, enum media format, int64_t now,
    struct failure *why) __attribute__((warn_unused_result));

#endif
