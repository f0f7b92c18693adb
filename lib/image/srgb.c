#include "image/srgb.h"

#include <math.h>

void
srgb_fill_table(double linear[256])
{
	for (unsigned level = 0; level < 256; level++) {
		double value = level / 255.0;

		linear[level] = value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
	}
}

uint8_t
srgb_of_linear(double linear)
{
	double value = fmin(fmax(linear, 0), 1);

	value = value <= 0.0031308 ? value * 12.92 : 1.055 * pow(value, 1 / 2.4) - 0.055;
	return (uint8_t)(value * 255 + 0.5);
}
