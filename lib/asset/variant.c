#include "asset/variant.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>

/* To be raised when the same recipe is rendered differently (other pixels, not
 * only other code): all results get new names and are made anew. */
enum { VARIANT_REVISION = 1 };

/* Longer than any of the texts that are hashed. */
enum { IDENTITY_MAX = 4096 };

/* The id is in it although the object alone would do: a version counts the
 * changes of one row, and two rows may show the same object. */
static struct key
original_key_of(struct arena *arena, const struct asset *asset)
{
	struct text identity;

	text_init(&identity, arena, IDENTITY_MAX);
	/* The object key comes last: it alone may hold a line feed. */
	text_printf(&identity, "original\n%s\n%" PRIu64 "\n%s\n%s", asset->id, asset->version,
	    asset->origin, asset->key);
	CHECK(!identity.was_cut);
	return key_of(text_span(&identity));
}

static struct key
result_key_of(struct arena *arena, const struct variant *variant)
{
	struct text identity;

	text_init(&identity, arena, IDENTITY_MAX);
	text_printf(&identity, "variant\n%d\n%s\n%s\n%s", VARIANT_REVISION, variant->original_key.hex,
	    media_extension(variant->format), variant->recipe);
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
	variant->key = recipe->is_original ? variant->original_key : result_key_of(arena, variant);
	snprintf(variant->etag, sizeof(variant->etag), "\"%s\"", variant->key.hex);
}
