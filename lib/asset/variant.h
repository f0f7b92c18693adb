/*
 * variant - the identity of one result: asset version, recipe, output format.
 *
 * The key names the file in the store and the entry among the peers; the ETag
 * is the same identity for clients.  Both follow from the row and the URL
 * alone, so they are equal on every server and known before anything is
 * rendered, and a purge, which bumps the version, makes every one of them new.
 */
#ifndef ASSET_VARIANT_H
#define ASSET_VARIANT_H

#include "asset/asset.h"
#include "base/digest.h"
#include "recipe/recipe.h"

enum { VARIANT_ETAG_MAX = KEY_HEX + 2 };

struct variant {
	struct key key;				/* of the result */
	struct key original_key;		/* of the original it is made from: the object, not the row */
	char etag[VARIANT_ETAG_MAX + 1];	/* strong, with its quotes */
	const char *recipe;			/* canonical text, in the arena */
	enum media format;			/* of the result; the asset's own for "original" */
};

/* The recipe's focal point must have been resolved.  For "original" both keys
 * are those of the original. */
void variant_init(struct variant *variant, struct arena *arena, const struct asset *asset,
    const struct recipe *recipe, enum media format);

#endif
