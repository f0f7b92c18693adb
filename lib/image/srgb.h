/*
 * srgb - between the 8 bits of sRGB and linear light.
 *
 * The transfer function of IEC 61966-2-1; linear values are 0 to 1.
 */
#ifndef IMAGE_SRGB_H
#define IMAGE_SRGB_H

#include <stdint.h>

/* The linear value of each of the 256 levels. */
void srgb_fill_table(double linear[256]);

/* To the nearest level; what lies outside 0 to 1 is clipped. */
uint8_t srgb_of_linear(double linear);

#endif
