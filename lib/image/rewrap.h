/*
 * rewrap - the same picture in a file without what is said about it.
 *
 * Copies what decides the pixels and their colours (gamma, palette, transparency,
 * loop and times of frames, and the ICC profile if it is asked to) byte by byte, leaves
 * out everything else (EXIF, XMP, IPTC, comments, thumbnails, what stands after the
 * end), and can put one XMP packet in, where readers look for it (XMP specification
 * part 3).
 *
 * No libvips: plain parsers of JPEG, PNG, WebP, GIF and JPEG XL.  They give up on
 * what is damaged, unusual, or not what browsers show like our decoders do (CMYK),
 * and never read or write outside of what they are given.
 */
#ifndef IMAGE_REWRAP_H
#define IMAGE_REWRAP_H

#include "base/text.h"
#include "http/media.h"

/*
 * Adds the new file to *out, whose maximum bounds it.  An empty packet adds none.
 * A profile that decoders ignore must not be kept: it can be any text.
 * False when it was given up; *out is then of no use.
 *
 * BUGS: of JPEG XL the codestream is copied unread, with what may stand behind it.
 */
bool rewrap(enum media media, struct span file, bool keeps_profile, struct span packet, struct text *out)
    __attribute__((warn_unused_result));

#endif
