/*
 * conditional - If-None-Match and If-Match (RFC 9110 section 13).
 */
#ifndef HTTP_CONDITIONAL_H
#define HTTP_CONDITIONAL_H

#include "base/text.h"

/* Whether a list of entity tags, or "*", names this one.  `etag` is an
 * entity tag as it is sent.  If-None-Match compares weakly (W/ is ignored), If-Match
 * strongly (what is W/ on either side never matches).  Malformed lists match nothing. */
bool conditional_none_match_hits(struct span field, const char *etag);
bool conditional_match_hits(struct span field, const char *etag);

#endif
