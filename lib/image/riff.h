/*
 * riff - takes the EXIF chunk out of a WebP file.
 *
 * webpsave of libvips 8.14.1 writes one into every file, whatever it is told
 * (fixed in 8.14.2, commit fe203d72).  The container is RIFF: chunks of a name,
 * a length and content (WebP Container Specification, "RIFF File Format").
 */
#ifndef IMAGE_RIFF_H
#define IMAGE_RIFF_H

#include <stddef.h>
#include <stdint.h>

/* In place; returns the new length.  What is no RIFF file is left alone. */
size_t riff_remove_exif(unsigned char *file, size_t length);

#endif
