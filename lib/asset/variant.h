/*
 * variant - the identity of one result: asset version, recipe, what is laid over
 * it, output format.
 *
 * The key names the file in the store and the entry among the peers; the ETag
 * is the same identity for clients.  Both follow from rows, configuration and
 * URL alone, so they are equal on every server and known before anything is
 * rendered, and a purge, which bumps the version, makes every one of them new.
 * What does not decide the bytes is not part of it: the name under which they are
 * saved, and names that the overlays have replaced by what they stand for.
 */
#ifndef ASSET_VARIANT_H
#define ASSET_VARIANT_H

#include "asset/asset.h"
#include "base/digest.h"
#include "recipe/overlay.h"
#include "recipe/recipe.h"

enum { VARIANT_ETAG_MAX = KEY_HEX + 4 };

/* What decides a result. */
struct variant_parts {
	const struct asset *asset;
	const struct recipe *recipe;	/* its focal point resolved */
	const struct overlays *overlays;
	const struct key *mark;		/* names the picture of overlays->mark, when that is set */
	enum media format;
};

struct variant {
	struct key key;				/* of the result */
	struct key original_key;		/* of the original it is made from: the object, not the row */
	char etag[VARIANT_ETAG_MAX + 1];	/* with its quotes; weak unless it is "original": see below */
	const char *recipe;			/* canonical text for the renderer, in the arena */
	const char *overlays;			/* printed, in the arena */
	enum media format;			/* of the result; the asset's own for "original" */
};

/*
 * The same variant looks the same wherever it was made, but its bytes may differ: what it
 * was made through, and the versions of encoders, are not part of its identity.  A weak
 * entity tag keeps clients from putting one together of parts that two servers sent
 * (RFC 9110 sections 8.8.1 and 13.1.5).
 *
 * For "original" both keys are those of the original, and nothing lies over it.
 */
void variant_init(struct variant *variant, struct arena *arena, const struct variant_parts *parts);

/* The original_key of all variants of the asset. */
struct key variant_original_key(struct arena *arena, const struct asset *asset);

/* Of the mezzanine that stands in for that original, with sides divided by so much. */
struct key variant_mezzanine_key(const struct key *original_key, unsigned shrink);

#endif
