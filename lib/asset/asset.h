/*
 * asset - what we know of an original: one row of the catalog, as a value.
 */
#ifndef ASSET_ASSET_H
#define ASSET_ASSET_H

#include "base/failure.h"
#include "base/text.h"
#include "http/media.h"
#include "recipe/geometry.h"

#include <stdint.h>

enum {
	ASSET_ID_MAX = 64,
	ASSET_ORIGIN_MAX = 32,
	ASSET_KEY_MAX = 1024,		/* S3's limit for object keys, in bytes */
	ASSET_ETAG_MAX = 128,
	ASSET_TEXT_MAX = 255,		/* watermark, credit, owner */
	ASSET_COLOURS_MAX = 6 * 7 - 1,
	ASSET_BLURHASH_MAX = 28,	/* image/description.h says the same of portraits */
	ASSET_THUMBHASH_MAX = 36,
	ASSET_PLACEHOLDER_MAX = 599,
	ASSET_PRINTED_MAX = 12288	/* bytes that asset_print() adds at most */
};

enum asset_visibility {
	VISIBILITY_PUBLIC = 0,
	VISIBILITY_SIGNED,	/* every URL needs a token */
	VISIBILITY_GONE,	/* taken down: 410 */
	VISIBILITY_COUNT
};

/* Strings are fixed arrays, so that a row is one value that can be copied. */
struct asset {
	char id[ASSET_ID_MAX + 1];
	char origin[ASSET_ORIGIN_MAX + 1];	/* name of a configured origin */
	char key[ASSET_KEY_MAX + 1];		/* object key or relative path, UTF-8 */
	uint64_t version;			/* bumped when the object or its policy changes */
	uint64_t bytes;
	char etag[ASSET_ETAG_MAX + 1];		/* the origin's, opaque; may be empty */
	enum media media;
	unsigned width, height;			/* as stored in the file, before orientation */
	unsigned frames;
	unsigned orientation;			/* EXIF, 1 to 8 */
	bool has_alpha;
	bool is_progressive;			/* must be decoded as a whole */
	enum asset_visibility visibility;
	bool has_focus;
	double focus_x, focus_y;		/* fractions of the upright image, six decimals */
	char watermark[ASSET_TEXT_MAX + 1];	/* laid over every variant, whatever the URL says */
	char credit[ASSET_TEXT_MAX + 1];
	bool credit_is_imposed;			/* drawn on every variant, whatever the URL says */
	/* How it looks, found by the importer; all empty when it is not known. */
	char colours[ASSET_COLOURS_MAX + 1];	/* "rrggbb,...": the dominant one, then 1 to 5 of a palette */
	char blurhash[ASSET_BLURHASH_MAX + 1];
	char thumbhash[ASSET_THUMBHASH_MAX + 1];	/* base64 */
	char placeholder[ASSET_PLACEHOLDER_MAX + 1];	/* a data: URI */
	char owner[ASSET_TEXT_MAX + 1];
	int64_t created, updated, expires;	/* Unix seconds; expires 0: never */
};

/* [A-Za-z0-9_-]{1,64} */
bool asset_id_is_valid(struct span id);

/* FAIL_GONE when it was taken down or has expired at `now` (Unix seconds). */
bool asset_is_alive(const struct asset *asset, int64_t now, struct failure *why) __attribute__((warn_unused_result));

/* Whether its frames are those of an animation, and not the pages of a document. */
bool asset_is_animated(const struct asset *asset);

/* Width and height of the upright image: swapped for orientations 5 to 8. */
void asset_upright_size(const struct asset *asset, unsigned *width, unsigned *height);

/* What a recipe's geometry starts from, as far as the row knows it. */
void asset_geometry_source(const struct asset *asset, const struct recipe *recipe, struct geometry_source *source);

const char *asset_visibility_name(enum asset_visibility visibility);
bool asset_visibility_find(struct span name, enum asset_visibility *visibility);

/*
 * The form in which rows travel through memcached: one line "name value" for
 * each field, values percent-encoded, headed by a format version and closed by
 * an end line, so that old, cut or foreign values are recognised.  Parsing what
 * was not printed by this version gives false, never a wrong row: a text that
 * parses is, byte for byte, the one that asset_print() makes of the row.
 */
void asset_print(const struct asset *asset, struct text *out);
bool asset_parse(struct span text, struct asset *asset) __attribute__((warn_unused_result));

#endif
