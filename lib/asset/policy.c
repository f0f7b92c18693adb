#include "asset/policy.h"

#include "base/check.h"
#include "recipe/geometry.h"
#include "recipe/operation.h"

#include <math.h>

/* Fails when the URL itself asks for an operation that is not among these. */
static bool
asks_only_for(const struct recipe *recipe, uint64_t allowed, const char *reason, struct failure *why)
{
	uint64_t refused = recipe->asked_freely & ~allowed;

	if (refused != 0)
		return fail(why, FAIL_FORBIDDEN, "%s %s", operations[__builtin_ctzll(refused)].name, reason);
	return true;
}

/* ---- without a token ---------------------------------------------------------------- */

static const char needs_token[] = "needs a signed URL";

static bool
width_is_on_ladder(const struct policy_config *config, unsigned width)
{
	for (unsigned i = 0; i < config->ladder_count; i++)
		if (config->ladder[i] == width)
			return true;
	return false;
}

static bool
uses_preset(const struct recipe *recipe)
{
	return (recipe->asked & ~recipe->asked_freely) != 0;	/* preset_add() sees to it */
}

/* Strangers reach so many variants of an asset: (rungs + presets) x 3 x formats. */
static bool
allows_rung(const struct policy_config *config, const struct recipe *recipe, struct failure *why)
{
	uint64_t width = operation_bit("w"), dpr = operation_bit("dpr");
	bool has_preset = uses_preset(recipe);

	if (!asks_only_for(recipe, has_preset ? dpr : width | dpr, needs_token, why))
		return false;
	if (!has_preset && (recipe->asked_freely & width) == 0)
		return fail(why, FAIL_FORBIDDEN, "a recipe without w or a preset %s", needs_token);
	if (!has_preset && recipe->width == 0)
		return fail(why, FAIL_FORBIDDEN, "w as a fraction %s", needs_token);
	if (!has_preset && !width_is_on_ladder(config, recipe->width))
		return fail(why, FAIL_FORBIDDEN, "w=%u is not on the ladder and %s", recipe->width, needs_token);
	if ((recipe->asked_freely & dpr) != 0 && recipe->dpr != 1 && recipe->dpr != 2 && recipe->dpr != 3)
		return fail(why, FAIL_FORBIDDEN, "dpr other than 1, 2 and 3 %s", needs_token);
	return true;
}

/* Whether variants carry something that the original does not. */
static bool
imposes_something(const struct policy_config *config, const struct asset *asset)
{
	return asset->watermark[0] != '\0' || asset->credit_is_imposed ||
	    (config->credit_is_imposed && asset->credit[0] != '\0');
}

/* What is laid over a picture lies at a side of the result.  Where that is cut round,
 * or is the corner that a free angle opens or the margin of a wide canvas, the picture
 * itself would be bare; and on a picture that is stretched to a strip, and can be stretched
 * back, a mark is a speck.  Presets are the operator's own choice, as far as the URL does not
 * give them another box. */
static bool
keeps_covered(const struct recipe *recipe, struct failure *why)
{
	static const char reason[] = "of an asset with a watermark or credit imposed";
	uint64_t box = operation_bit("w") | operation_bit("h") | operation_bit("ar") | operation_bit("fit");

	if ((recipe->asked_freely & operation_bit("round")) != 0)
		return fail(why, FAIL_FORBIDDEN, "round %s %s", reason, needs_token);
	if ((recipe->asked_freely & operation_bit("rot")) != 0 && fmod(recipe->rotation, 90) != 0)
		return fail(why, FAIL_FORBIDDEN, "rot by a free angle %s %s", reason, needs_token);
	if ((recipe->asked_freely & box) != 0 && (recipe->fit == FIT_PAD || recipe->fit == FIT_FILL))
		return fail(why, FAIL_FORBIDDEN, "fit=%s %s %s", recipe->fit == FIT_PAD ? "pad" : "fill", reason,
		    needs_token);
	return true;
}

static bool
is_open_to_strangers(const struct policy_config *config, const struct asset *asset, struct failure *why)
{
	if (config->unsigned_urls == UNSIGNED_NONE)
		return fail(why, FAIL_FORBIDDEN, "every URL of this server %s", needs_token);
	if (asset->visibility != VISIBILITY_PUBLIC)
		return fail(why, FAIL_FORBIDDEN, "the asset %s", needs_token);
	return true;
}

static bool
allows_unsigned(const struct policy_config *config, const struct asset *asset,
    const struct recipe *recipe, struct failure *why)
{
	if (!is_open_to_strangers(config, asset, why))
		return false;
	if (recipe->is_original && imposes_something(config, asset))
		return fail(why, FAIL_FORBIDDEN, "original of an asset with a watermark or credit imposed %s",
		    needs_token);
	if (imposes_something(config, asset) && !keeps_covered(recipe, why))
		return false;
	if (recipe->caption[0] != '\0')
		return fail(why, FAIL_FORBIDDEN, "text %s", needs_token);
	if (config->unsigned_urls == UNSIGNED_ANY)
		return true;
	if (recipe->is_original)
		return fail(why, FAIL_FORBIDDEN, "original %s", needs_token);
	if (recipe->asked == 0)
		return fail(why, FAIL_FORBIDDEN, "a recipe without w or a preset %s", needs_token);
	if (recipe->presets > 1)
		return fail(why, FAIL_FORBIDDEN, "more than one preset %s", needs_token);
	if (config->unsigned_urls == UNSIGNED_PRESETS)
		return asks_only_for(recipe, 0, needs_token, why);
	return allows_rung(config, recipe, why);
}

/* ---- with a token that permits operations --------------------------------------------- */

static bool
fits_max_side(const struct permit *permit, unsigned width, unsigned height, struct failure *why)
{
	if (width > permit->max_side || height > permit->max_side)
		return fail(why, FAIL_FORBIDDEN, "a result of %ux%u is over the token's max=%u", width, height,
		    permit->max_side);
	return true;
}

/* The unbounded sizes that all give the same small image would be as many variants. */
static bool
asks_within_max_side(const struct permit *permit, const struct recipe *recipe, struct failure *why)
{
	const unsigned lengths[] = { recipe->width, recipe->height, recipe->min_width, recipe->min_height };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (geometry_length(recipe, lengths[i]) > permit->max_side)
			return fail(why, FAIL_FORBIDDEN, "w, h, mw or mh times dpr is over the token's max=%u",
			    permit->max_side);
	return true;
}

/* Nobody knows yet how large it will be; the box is the most it can be. */
static bool
box_fits_max_side(const struct permit *permit, const struct recipe *recipe, struct failure *why)
{
	unsigned borders = 2 * geometry_length(recipe, recipe->border);

	if (recipe->width == 0 || recipe->height == 0 || recipe->fit == FIT_OUTSIDE || recipe->min_width != 0 ||
	    recipe->min_height != 0)
		return fail(why, FAIL_FORBIDDEN, "the token has max, and with trim or page the size is only bounded "
		    "by w and h in pixels, without fit=outside, mw and mh");
	return fits_max_side(permit, geometry_length(recipe, recipe->width) + borders,
	    geometry_length(recipe, recipe->height) + borders, why);
}

/* What is asked must be within the limit, and so must what results, because a side
 * that was not asked can be the longer one. */
static bool
allows_size(const struct permit *permit, const struct asset *asset, const struct recipe *recipe,
    struct failure *why)
{
	struct recipe resolved = *recipe;
	struct geometry_source source;
	struct geometry geometry;

	if (permit->max_side == 0)
		return true;
	if (!asks_within_max_side(permit, recipe, why))
		return false;
	if (recipe_size_needs_pixels(recipe))
		return box_fits_max_side(permit, recipe, why);
	if (asset->width == 0 || asset->height == 0)
		return fail(why, FAIL_FORBIDDEN, "the token has max, and the asset's size is not known");
	asset_geometry_source(asset, recipe, &source);
	if (recipe->is_original)
		return fits_max_side(permit, source.width, source.height, why);
	recipe_resolve_focus(&resolved, false, 0, 0);
	return geometry_plan(&resolved, &source, &geometry, why) &&
	    fits_max_side(permit, geometry.width, geometry.height, why);
}

static bool
allows_permitted(const struct permit *permit, const struct asset *asset, const struct recipe *recipe,
    enum media format, struct failure *why)
{
	if (recipe->is_original && !permit->may_read_original)
		return fail(why, FAIL_FORBIDDEN, "original is not among the token's ops");
	if (!asks_only_for(recipe, permit->operations, "is not among the token's ops", why))
		return false;
	if (!recipe->is_original && format != MEDIA_NONE && !permit_allows_format(permit, format))
		return fail(why, FAIL_FORBIDDEN, "%s is not among the token's fmt", media_extension(format));
	return allows_size(permit, asset, recipe, why);
}

bool
policy_allows(const struct policy_config *config, const struct asset *asset,
    const struct permit *permit, const struct recipe *recipe, enum media format, int64_t now,
    struct failure *why)
{
	CHECK(config->ladder_count <= POLICY_LADDER_MAX);
	if (!asset_is_alive(asset, now, why))
		return false;
	if (!permit->is_signed)
		return allows_unsigned(config, asset, recipe, why);
	if (permit->covers_exact_url)
		return true;
	return allows_permitted(permit, asset, recipe, format, why);
}

bool
policy_allows_info(const struct policy_config *config, const struct asset *asset,
    const struct permit *permit, int64_t now, struct failure *why)
{
	if (!asset_is_alive(asset, now, why))
		return false;
	return permit->is_signed || is_open_to_strangers(config, asset, why);
}
