/*
 * accept - which media types a client takes (RFC 9110 section 12.5.1).
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "base/text.h"
#include "http/media.h"

enum {
	ACCEPT_MAX = 1024	/* bytes of the field that are looked at; browsers send about 100 */
};

/*
 * The weight, 0 to 1000, of a media type under an Accept field: the most
 * specific range that matches counts.  An empty or absent field accepts
 * everything.  Malformed parts are skipped.
 */
unsigned accept_weight(struct span field, enum media media);

/*
 * Like accept_weight, but wildcards ("*" "/" "*", "image/" "*") do not count:
 * clients that cannot show AVIF, JXL or WebP send them too, so these formats
 * are given only to who names them.
 */
unsigned accept_weight_named(struct span field, enum media media);

#endif
