/*
 * negotiate - what the fields of a request decide where the URL leaves it open.
 *
 * Only URLs that end in .auto are negotiated, and never "original".  Whatever is
 * looked at is in Vary.
 */
#ifndef FCGI_APP_NEGOTIATE_H
#define FCGI_APP_NEGOTIATE_H

#include "fcgi-app/request.h"
#include "fcgi-app/wish.h"
#include "settings/settings.h"

/*
 * With client_hints, fills in what the recipe does not say: Sec-CH-Width or Width
 * gives w, the next width of the ladder that is not smaller (else the largest), when
 * none of w, h and dpr was asked; Sec-CH-DPR or DPR gives dpr, rounded up to 1, 2 or 3,
 * when w or h was asked and dpr was not.  A hint must not cost anybody the picture:
 * what the policy would refuse is left open.  With a token for exactly this URL there
 * are no hints.
 */
void negotiate_hints(const struct settings *settings, struct request *request, struct wish *wish);

/*
 * Sets the format: as the URL says, or the best one of auto_formats that the client
 * names in Accept, if it weighs no less than the plain one that everybody takes.
 * Plain is GIF for what is animated, else JPEG unless something may be transparent, else
 * PNG; an animation becomes nothing that would show only its first frame.  Formats
 * that cannot do what the recipe asks, or that the token does not permit, are passed
 * over, plain ones too.  With Save-Data a quality that was left open becomes low.
 * FAIL_FORBIDDEN, FAIL_BAD_REQUEST when nothing is left.
 */
bool negotiate_format(const struct http_settings *http, struct request *request, struct wish *wish,
    struct failure *why) __attribute__((warn_unused_result));

/*
 * When the format of an .auto picture takes long to make, *quicker becomes the same wish
 * in the best format that does not.  False when the client takes none, or when the
 * format does not take long.
 */
bool negotiate_quicker(const struct http_settings *http, struct request *request, const struct wish *wish,
    struct wish *quicker) __attribute__((warn_unused_result));

#endif
