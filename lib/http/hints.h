/*
 * hints - what a client says about its screen and its connection.
 *
 *	Save-Data: on			send less (https://wicg.github.io/savedata/)
 *	Sec-CH-Width, Width: 640	pixels of the screen that the picture will cover
 *	Sec-CH-DPR, DPR: 2.0		pixels of the screen for each CSS pixel
 *
 * The last two are https://wicg.github.io/responsive-image-client-hints/; without
 * Sec-CH- they are of older browsers and of proxies.  A hint that cannot be read is
 * no hint.
 */
#ifndef HTTP_HINTS_H
#define HTTP_HINTS_H

#include "base/text.h"

/* Whether the list has the token "on". */
bool hint_saves_data(struct span field);

/* 1 to 65535. */
bool hint_width(struct span field, unsigned *width);

/* Above 0, at most 100.  Only six decimals are looked at: browsers whose page is
 * zoomed send 1.100000023841858. */
bool hint_dpr(struct span field, double *dpr);

#endif
