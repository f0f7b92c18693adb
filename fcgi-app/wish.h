/*
 * wish - what is known of a request for a picture once it has been read.
 *
 * Filled from left to right by the steps of serve_asset.c; each step reads what
 * those before it have filled.
 */
#ifndef FCGI_APP_WISH_H
#define FCGI_APP_WISH_H

#include "asset/asset.h"
#include "asset/dressing.h"
#include "asset/token.h"
#include "asset/variant.h"
#include "fcgi-app/route.h"
#include "recipe/recipe.h"

struct wish {
	const struct route *route;
	int64_t now;			/* Unix seconds */
	struct permit permit;
	struct recipe recipe;
	struct asset asset;
	enum media format;		/* of the result */
	bool is_interim;		/* a better format of it is still to be made */
	bool saves_data;		/* the quality was left open, and Save-Data lowered it */
	struct dressing dressing;
	struct asset mark;		/* whose original the watermark's picture is, unless that is a file */
	struct key mark_key;		/* of the watermark's picture, if there is a watermark */
	struct variant variant;
};

#endif
