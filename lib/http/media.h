/*
 * media - the image formats Vitrine knows, and what they are called where.
 */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include "base/text.h"

enum media {
	MEDIA_NONE = 0,
	MEDIA_JPEG,
	MEDIA_PNG,
	MEDIA_WEBP,
	MEDIA_AVIF,
	MEDIA_GIF,
	MEDIA_JXL,
	MEDIA_HEIC,		/* the ones from here on are read, never written */
	MEDIA_TIFF,
	MEDIA_SVG,
	MEDIA_COUNT
};

/* "jpg", "jpeg", "png", ... in any case, without the dot; MEDIA_NONE when unknown. */
enum media media_of_extension(struct span extension);

/* "image/jpeg"; parameters after ";" are ignored; MEDIA_NONE when unknown. */
enum media media_of_type(struct span type);

/* By the first bytes (WHATWG MIME Sniffing section 6, plus AVIF, HEIC, JXL,
 * TIFF and SVG); MEDIA_NONE when they belong to none of them.  64 bytes are
 * enough for all but SVG, which may hide behind an XML prolog. */
enum media media_sniff(const void *bytes, size_t length);

const char *media_type(enum media media);		/* "image/jpeg" */
const char *media_extension(enum media media);	/* "jpg": also its name in URLs and texts */

bool media_is_writable(enum media media);		/* we can encode it */
bool media_has_alpha(enum media media);		/* the format can be transparent */

#endif
