/*
 * cost - about how long one core works on a variant, known before the work.
 *
 * From the row, the recipe and the format alone, by the pixels that are decoded and those that
 * are encoded, at rates that were measured on photographs with one core of a 2.5 GHz
 * server.  It is an estimate for admission, right within a factor of two or
 * three, and nothing of the result depends on it.
 */
#ifndef ASSET_COST_H
#define ASSET_COST_H

#include "asset/asset.h"
#include "recipe/recipe.h"

/* Milliseconds, at least 1.  What the row does not say is taken to be a photograph
 * of 16 megapixels. */
unsigned cost_of_variant(const struct asset *asset, const struct recipe *recipe, enum media format);

/* The same for a variant that is made of the original's mezzanine, which is a plain JPEG. */
unsigned cost_through_mezzanine(const struct asset *asset, const struct recipe *recipe, enum media format);

#endif
