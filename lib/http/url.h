/*
 * url - the path of a request, as raw text and as parts.
 *
 * The raw path is what the client sent, still percent-encoded; signatures
 * cover it.  A segment is decoded exactly once, and what decodes to something
 * dangerous is refused rather than repaired, because a server in front may
 * have seen it differently (RFC 3986 sections 2.1 and 6.2.2, RFC 9110 4.2.3).
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/failure.h"
#include "base/text.h"

enum {
	URL_PATH_MAX = 2048	/* bytes; nginx takes 8 kB, no honest recipe comes near this */
};

/* The path of a request target: without query and fragment, beginning with
 * "/".  FAIL_BAD_REQUEST when it is empty, longer than URL_PATH_MAX, not
 * printable ASCII, or has a malformed percent sequence. */
bool url_path(struct span request_target, struct span *path, struct failure *why)
    __attribute__((warn_unused_result));

/* Decodes %XX in one segment into the arena.  FAIL_BAD_REQUEST on malformed
 * sequences, %00 and other control characters, an encoded or plain slash or
 * backslash, "." and ".." however they are written, and on what is not UTF-8. */
bool url_decode_segment(struct span segment, struct arena *arena, struct span *decoded,
    struct failure *why) __attribute__((warn_unused_result));

/* Only undoes %XX, without judging what comes out: for texts that we encoded
 * ourselves.  out has room for encoded.length bytes and gets no NUL; false on
 * malformed sequences. */
bool url_decode(struct span encoded, char *out, size_t *length) __attribute__((warn_unused_result));

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ and the characters of `safe`
 * ("/" for whole paths), upper-case hex: RFC 3986 2.3, and what SigV4 wants. */
void url_encode(struct span raw, const char *safe, struct text *out);

#endif
