/*
 * fields - what libvips' loaders found in a file beside its pixels, and what its
 * savers are to write there.
 */
#ifndef IMAGE_FIELDS_H
#define IMAGE_FIELDS_H

#include "base/text.h"

#include <vips/vips.h>

bool fields_have(VipsImage *image, const char *name);

/* Its bytes, which live as long as the field; empty when there is none. */
struct span fields_blob(VipsImage *image, const char *name);

/* The XMP packet, wherever the loader put it. */
struct span fields_xmp(VipsImage *image);

/* The first field with this beginning and this end, as its full name for the caller
 * to g_free(); NULL when there is none. */
char *fields_find(VipsImage *image, const char *prefix, const char *suffix);

void field_copy(VipsImage *image, VipsImage *from, const char *name);
void fields_copy(VipsImage *image, VipsImage *from);

#endif
