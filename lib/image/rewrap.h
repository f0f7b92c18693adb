/*
 * rewrap - the same picture in a file without what is said about it.
 *
 * Copies what decides the pixels and their colours (ICC profile, gamma, palette,
 * transparency, loop and times of frames) byte by byte, leaves out everything
 * else (EXIF, XMP, IPTC, comments, thumbnails, what stands after the end), and can
 * put one XMP packet in, where readers look for it (XMP specification part 3).
 *
 * No libvips: plain parsers of JPEG, PNG, WebP, GIF and JPEG XL.  They give up on
 * what is damaged, unusual, or not what browsers show like our decoders do (CMYK),
 * and never read or write outside of what they are given.
 */
#ifndef IMAGE_REWRAP_H
#define IMAGE_REWRAP_H

#include "base/text.h"
#include "http/media.h"

/* Adds the new file to *out, whose maximum bounds it.  An empty packet adds none.
 * False when it was given up; *out is then of no use. */
bool rewrap(enum media media, struct span file, struct span packet, struct text *out)
    __attribute__((warn_unused_result));

#endif
