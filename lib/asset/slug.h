/*
 * slug - the public id that an object's key suggests.
 *
 * "photos/Löwe am See.jpg" becomes "photos-L-we-am-See": the key without its
 * extension, every run of other characters than [A-Za-z0-9_] one "-", none at
 * either end, cut to ASSET_ID_MAX; "asset" when nothing is left.  It depends on
 * the key alone, so importing again suggests the same id.
 *
 * Two keys can suggest one id ("a b.jpg", "a-b.png").  The second then gets the
 * distinct form: the same id, shortened if need be, and "-" with eight hex
 * digits of the SHA-256 of "origin:key".
 */
#ifndef ASSET_SLUG_H
#define ASSET_SLUG_H

#include "asset/asset.h"

struct slug {
	char id[ASSET_ID_MAX + 1];
};

struct slug slug_of_key(struct span key);
struct slug slug_distinct(struct span origin, struct span key);

#endif
