#include "asset/variant.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>

/* To be raised when the same recipe is rendered differently (other pixels, not
 * only other code): all results get new names and are made anew. */
enum { VARIANT_REVISION = 1 };

/* Longer than any of the texts that are hashed. */
enum { IDENTITY_MAX = 4096 };

/*
 * An object that the origin has named (its etag) is kept under that name: a new
 * focal point or credit changes the row, not the object, and two rows may show
 * the same one.  Without a name the version stands in, with the id, because a
 * version counts the changes of one row.  The object key comes last: it alone
 * may hold a line feed.
 */
static struct key
original_key_of(struct arena *arena, const struct asset *asset)
{
	struct text identity;

	text_init(&identity, arena, IDENTITY_MAX);
	if (asset->etag[0] != '\0')
		text_printf(&identity, "object\n%s\n%s\n%" PRIu64 "\n%s", asset->origin, asset->etag, asset->bytes,
		    asset->key);
	else
		text_printf(&identity, "original\n%s\n%" PRIu64 "\n%s\n%s", asset->id, asset->version,
		    asset->origin, asset->key);
	CHECK(!identity.was_cut);
	return key_of(text_span(&identity));
}

static struct key
result_key_of(struct arena *arena, const struct asset *asset, const struct variant *variant)
{
	struct text identity;

	text_init(&identity, arena, IDENTITY_MAX);
	text_printf(&identity, "variant\n%d\n%s\n%" PRIu64 "\n%s\n%s\n%s", VARIANT_REVISION, asset->id,
	    asset->version, variant->original_key.hex, media_extension(variant->format), variant->recipe);
	CHECK(!identity.was_cut);
	return key_of(text_span(&identity));
}

void
variant_init(struct variant *variant, struct arena *arena, const struct asset *asset,
    const struct recipe *recipe, enum media format)
{
	struct text canonical;

	CHECK(recipe->is_original || (recipe->gravity != GRAVITY_FOCUS && media_is_writable(format)));
	text_init(&canonical, arena, RECIPE_TEXT_MAX);
	recipe_print(recipe, &canonical);
	CHECK(!canonical.was_cut);
	variant->recipe = canonical.at;
	variant->format = recipe->is_original ? asset->media : format;
	variant->original_key = original_key_of(arena, asset);
	variant->key = recipe->is_original ? variant->original_key : result_key_of(arena, asset, variant);
	snprintf(variant->etag, sizeof(variant->etag), "\"%s\"", variant->key.hex);
}
