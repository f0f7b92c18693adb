/*
 * timestamp - moments as S3 writes them, to and from Unix seconds.
 *
 * Parsing is strict, takes one form each, and does not follow the locale (so
 * no strptime); years 1970 to 9999.  False leaves *seconds alone.
 */
#ifndef ORIGIN_TIMESTAMP_H
#define ORIGIN_TIMESTAMP_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Last-Modified and Date: "Fri, 24 May 2013 00:00:00 GMT" (RFC 9110 5.6.7,
 * the preferred form; S3 sends no other).  The day of the week is not checked. */
bool timestamp_parse_http(struct span text, int64_t *seconds) __attribute__((warn_unused_result));

/* In listings: "2013-05-24T00:00:00.000Z"; the fraction may be missing and is dropped. */
bool timestamp_parse_iso(struct span text, int64_t *seconds) __attribute__((warn_unused_result));

/* x-amz-date: "20130524T000000Z".  The first eight characters are the date of
 * the credential scope. */
enum { TIMESTAMP_AMZ = 16, TIMESTAMP_AMZ_DATE = 8 };
void timestamp_print_amz(int64_t seconds, char out[TIMESTAMP_AMZ + 1]);

#endif
