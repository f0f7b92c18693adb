/*
 * percent - keys as S3 writes them in listings: %XX, and "+" for a space.
 *
 * The other direction, and the stricter decoding of what clients send, is in
 * http/url.h; here any byte is allowed, because a key may hold any.
 */
#ifndef ORIGIN_PERCENT_H
#define ORIGIN_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/* 0 to 15, or -1. */
int percent_hex_digit(char c);

/* In place, never longer.  False on "%" without two hex digits. */
bool percent_decode(char *bytes, size_t *length) __attribute__((warn_unused_result));

#endif
