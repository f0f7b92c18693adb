#include "asset/variant.h"

#include "base/check.h"

#include <stdio.h>

/* To be raised when the same recipe is rendered differently (other pixels, not
 * only other code): all results get new names and are made anew. */
enum { VARIANT_REVISION = 2 };

/* The same, when mezzanines are made differently. */
enum { MEZZANINE_REVISION = 2 };

/* Longer than any of the texts that are hashed. */
enum { IDENTITY_MAX = RECIPE_TEXT_MAX + OVERLAYS_PRINTED_MAX + ASSET_KEY_MAX + 512 };

/* All but the last of the texts that are hashed end so: none of them may hold a line feed. */
static void
add_line(struct text *identity, const char *text)
{
	text_add(identity, text);
	text_add_char(identity, '\n');
}

static void
add_number(struct text *identity, uint64_t number)
{
	text_add_u64(identity, number);
	text_add_char(identity, '\n');
}

/*
 * An object that the origin has named (its etag) is kept under that name: a new
 * focal point or credit changes the row, not the object, and two rows may show
 * the same one.  Without a name the version stands in, with the id, because a
 * version counts the changes of one row.  The object key comes last: it alone
 * may hold a line feed.
 */
struct key
variant_original_key(struct arena *arena, const struct asset *asset)
{
	struct text identity;

	text_init(&identity, arena, IDENTITY_MAX);
	if (asset->etag[0] != '\0') {
		add_line(&identity, "object");
		add_line(&identity, asset->origin);
		add_line(&identity, asset->etag);
		add_number(&identity, asset->bytes);
	} else {
		add_line(&identity, "original");
		add_line(&identity, asset->id);
		add_number(&identity, asset->version);
		add_line(&identity, asset->origin);
	}
	text_add(&identity, asset->key);
	CHECK(!identity.was_cut);
	return key_of(text_span(&identity));
}

struct key
variant_mezzanine_key(const struct key *original_key, unsigned shrink)
{
	char identity[64 + KEY_HEX];
	int length = snprintf(identity, sizeof(identity), "mezzanine\n%d\n%u\n%s", MEZZANINE_REVISION, shrink,
	    original_key->hex);

	CHECK(length > 0 && (size_t)length < sizeof(identity));
	return key_of(span_of(identity));
}

static struct key
result_key_of(struct arena *arena, const struct variant_parts *parts, const struct variant *variant)
{
	const struct asset *asset = parts->asset;
	struct text identity;

	text_init(&identity, arena, IDENTITY_MAX);
	add_line(&identity, "variant");
	add_number(&identity, VARIANT_REVISION);
	add_line(&identity, asset->id);
	add_number(&identity, asset->version);
	add_line(&identity, variant->original_key.hex);
	add_line(&identity, media_extension(variant->format));
	add_line(&identity, variant->recipe);
	add_line(&identity, variant->overlays);
	text_add(&identity, parts->overlays->mark.is_set ? parts->mark->hex : "-");
	CHECK(!identity.was_cut);
	return key_of(text_span(&identity));
}

/* The recipe without what does not decide the bytes: two names for one watermark,
 * or a credit that the asset does not have, are one picture. */
static const char *
print_recipe(struct arena *arena, const struct recipe *recipe)
{
	struct recipe plain = *recipe;
	struct text canonical;

	plain.download[0] = '\0';
	plain.watermark[0] = '\0';
	plain.has_credit = false;
	plain.caption[0] = '\0';
	plain.caption_gravity = GRAVITY_FOCUS;
	plain.caption_size = 0;
	plain.has_caption_colour = false;
	text_init(&canonical, arena, RECIPE_TEXT_MAX);
	recipe_print(&plain, &canonical);
	CHECK(!canonical.was_cut);
	return canonical.at;
}

static const char *
print_overlays(struct arena *arena, const struct overlays *overlays)
{
	struct text printed;

	text_init(&printed, arena, OVERLAYS_PRINTED_MAX);
	overlays_print(overlays, &printed);
	CHECK(!printed.was_cut);
	return printed.at;
}

void
variant_init(struct variant *variant, struct arena *arena, const struct variant_parts *parts)
{
	const struct recipe *recipe = parts->recipe;

	CHECK(recipe->is_original || (recipe->gravity != GRAVITY_FOCUS && media_is_writable(parts->format)));
	variant->recipe = print_recipe(arena, recipe);
	variant->overlays = print_overlays(arena, parts->overlays);
	variant->format = recipe->is_original ? parts->asset->media : parts->format;
	variant->original_key = variant_original_key(arena, parts->asset);
	variant->key = recipe->is_original ? variant->original_key : result_key_of(arena, parts, variant);
	snprintf(variant->etag, sizeof(variant->etag), "%s\"%s\"", recipe->is_original ? "" : "W/", variant->key.hex);
}
