/*
 * credit - whose work a picture is: the only metadata that survives by default.
 */
#ifndef IMAGE_CREDIT_H
#define IMAGE_CREDIT_H

#include <stdbool.h>
#include <vips/vips.h>

/* Looks for the copyright notice and the author in the fields of `original`, and
 * gives them to `image`, which has no metadata and a header of its own: as one
 * small XMP packet and, if with_exif and the original had them there, as EXIF.
 * False: there was nothing. */
bool credit_copy(VipsImage *image, VipsImage *original, bool with_exif);

#endif
