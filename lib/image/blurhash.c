/*
 * blurhash - a picture as the first few terms of its cosine transform, in base 83.
 *
 * One digit says how many components there are, one how large the largest of
 * them is, four are the mean colour, and then two for each component.
 */
#include "image/miniature.h"
#include "image/srgb.h"

#include <math.h>

enum {
	LONG_SIDE = 4, SHORT_SIDE = 3,
	COMPONENTS = LONG_SIDE * SHORT_SIDE,
	BASE = 83,
	LARGEST_STEPS = 166, LARGEST_MAX = 82,	/* one digit: up to half of full strength */
	LEVELS = 19		/* of each channel of a component: 19^3 < 83^2 */
};

/* How strong each wave is in linear red, green and blue: row after row of waves,
 * the first one is the mean. */
struct components {
	unsigned across, down;
	double strength[COMPONENTS][3];
};

/* waves[i][x]: the value at x of the wave that has i half periods on the side. */
static void
fill_waves(unsigned side, unsigned count, double waves[LONG_SIDE][MINIATURE_SIDE_MAX])
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned x = 0; x < side; x++)
			waves[i][x] = cos(M_PI * i * x / side);
}

static void
measure_component(const struct miniature *picture, const double linear[256], const double *wave_across,
    const double *wave_down, double strength[3])
{
	for (unsigned y = 0; y < picture->height; y++)
		for (unsigned x = 0; x < picture->width; x++) {
			const uint8_t *pixel = picture->pixels[y * picture->width + x];
			double basis = wave_across[x] * wave_down[y];

			for (unsigned channel = 0; channel < 3; channel++)
				strength[channel] += basis * linear[pixel[channel]];
		}
}

static void
measure(const struct miniature *picture, struct components *components)
{
	double across[LONG_SIDE][MINIATURE_SIDE_MAX], down[LONG_SIDE][MINIATURE_SIDE_MAX];
	unsigned pixels = picture->width * picture->height;
	double linear[256];

	srgb_fill_table(linear);
	fill_waves(picture->width, components->across, across);
	fill_waves(picture->height, components->down, down);
	for (unsigned i = 0; i < COMPONENTS; i++) {
		double *strength = components->strength[i];
		double scale = (i == 0 ? 1.0 : 2.0) / pixels;

		measure_component(picture, linear, across[i % components->across], down[i / components->across],
		    strength);
		for (unsigned channel = 0; channel < 3; channel++)
			strength[channel] *= scale;
	}
}

static char *
print_digits(char *to, unsigned value, unsigned digits)
{
	static const char alphabet[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

	for (unsigned i = digits; i > 0; i--, value /= BASE)
		to[i - 1] = alphabet[value % BASE];
	return to + digits;
}

static double
clipped(double value, double max)
{
	return fmin(fmax(value, 0), max);
}

/* The largest strength of any channel, in steps; components are told as parts of it. */
static unsigned
quantised_largest(const struct components *components)
{
	double largest = 0;

	for (unsigned i = 1; i < COMPONENTS; i++)
		for (unsigned channel = 0; channel < 3; channel++)
			largest = fmax(largest, fabs(components->strength[i][channel]));
	return (unsigned)clipped(floor(largest * LARGEST_STEPS - 0.5), LARGEST_MAX);
}

static unsigned
mean_colour(const double strength[3])
{
	unsigned colour = 0;

	for (unsigned channel = 0; channel < 3; channel++)
		colour = colour << 8 | srgb_of_linear(strength[channel]);
	return colour;
}

/* The square root keeps weak waves apart, which are most. */
static unsigned
quantised_component(const double strength[3], double largest)
{
	unsigned value = 0;

	for (unsigned channel = 0; channel < 3; channel++) {
		double part = strength[channel] / largest;
		double root = copysign(sqrt(fabs(part)), part);

		value = value * LEVELS + (unsigned)clipped(floor(root * 9 + 9.5), LEVELS - 1);
	}
	return value;
}

void
miniature_blurhash(const struct miniature *picture, char hash[PORTRAIT_BLURHASH_MAX + 1])
{
	bool is_upright = picture->height > picture->width;
	struct components components = {
		.across = is_upright ? SHORT_SIDE : LONG_SIDE,
		.down = is_upright ? LONG_SIDE : SHORT_SIDE,
	};
	unsigned largest;

	measure(picture, &components);
	largest = quantised_largest(&components);
	hash = print_digits(hash, components.across - 1 + (components.down - 1) * 9, 1);
	hash = print_digits(hash, largest, 1);
	hash = print_digits(hash, mean_colour(components.strength[0]), 4);
	for (unsigned i = 1; i < COMPONENTS; i++) {
		double full = (largest + 1.0) / LARGEST_STEPS;

		hash = print_digits(hash, quantised_component(components.strength[i], full), 2);
	}
	*hash = '\0';
}
