/*
 * thumbhash - a picture and its shape in 25 bytes, with alpha.
 *
 * The first terms of the cosine transform of brightness (up to 7 x 7 of them),
 * of two colour differences (3 x 3) and of alpha (5 x 5), each in four bits, with
 * their means and largest values before.  Sums are in the order of the
 * reference, so that the last bit is the same too.
 */
#include "image/miniature.h"

#include <math.h>
#include <string.h>

enum {
	OPAQUE_TERMS = 7, TRANSLUCENT_TERMS = 5, COLOUR_TERMS = 3,	/* on the long side */
	TERMS_MAX = OPAQUE_TERMS * (OPAQUE_TERMS + 1) / 2
};

/* One quantity of every pixel, and then of the picture. */
struct channel {
	double values[MINIATURE_PIXELS_MAX];
	double mean;
	double largest;			/* of the terms */
	double terms[TERMS_MAX];	/* in parts of the largest: 0 to 1 */
	unsigned term_count;
};

struct channels {
	struct channel brightness, yellow_blue, red_green, alpha;
	bool has_alpha;
};

/* JavaScript's Math.round(). */
static unsigned
rounded(double value)
{
	return (unsigned)floor(value + 0.5);
}

/* Red, green and blue, 0 to 1, weighted by alpha, which is summed up in mean[3]. */
static void
find_mean(const struct miniature *picture, unsigned pixels, double mean[4])
{
	for (unsigned i = 0; i < pixels; i++) {
		double alpha = picture->pixels[i][3] / 255.0;

		for (unsigned c = 0; c < 3; c++)
			mean[c] += alpha / 255 * picture->pixels[i][c];
		mean[3] += alpha;
	}
	for (unsigned c = 0; c < 3 && mean[3] > 0; c++)
		mean[c] /= mean[3];
}

/* On the mean colour, where the picture is transparent. */
static void
fill_channels(const struct miniature *picture, struct channels *channels)
{
	unsigned pixels = picture->width * picture->height;
	double mean[4] = { 0 };

	find_mean(picture, pixels, mean);
	channels->has_alpha = mean[3] < pixels;
	for (unsigned i = 0; i < pixels; i++) {
		double alpha = picture->pixels[i][3] / 255.0;
		double rgb[3];

		for (unsigned c = 0; c < 3; c++)
			rgb[c] = mean[c] * (1 - alpha) + alpha / 255 * picture->pixels[i][c];
		channels->brightness.values[i] = (rgb[0] + rgb[1] + rgb[2]) / 3;
		channels->yellow_blue.values[i] = (rgb[0] + rgb[1]) / 2 - rgb[2];
		channels->red_green.values[i] = rgb[0] - rgb[1];
		channels->alpha.values[i] = alpha;
	}
}

static double
transform(const struct channel *channel, unsigned width, unsigned height, unsigned across, unsigned down)
{
	double wave[MINIATURE_SIDE_MAX], sum = 0;

	for (unsigned x = 0; x < width; x++)
		wave[x] = cos(M_PI / width * across * (x + 0.5));
	for (unsigned y = 0; y < height; y++) {
		double row = cos(M_PI / height * down * (y + 0.5));

		for (unsigned x = 0; x < width; x++)
			sum += channel->values[x + y * width] * wave[x] * row;
	}
	return sum / (width * height);
}

/* The upper left triangle of across_max x down_max terms. */
static void
encode(struct channel *channel, unsigned width, unsigned height, unsigned across_max, unsigned down_max)
{
	for (unsigned down = 0; down < down_max; down++)
		for (unsigned across = 0; across * down_max < across_max * (down_max - down); across++) {
			double term = transform(channel, width, height, across, down);

			if (across == 0 && down == 0) {
				channel->mean = term;
				continue;
			}
			channel->terms[channel->term_count++] = term;
			channel->largest = fmax(channel->largest, fabs(term));
		}
	for (unsigned i = 0; i < channel->term_count && channel->largest > 0; i++)
		channel->terms[i] = 0.5 + 0.5 / channel->largest * channel->terms[i];
}

static unsigned
terms_on(unsigned side, unsigned longer, unsigned limit)
{
	unsigned terms = rounded((double)limit * side / longer);

	return terms > 1 ? terms : 1;
}

static unsigned
at_least_three(unsigned terms)
{
	return terms > COLOUR_TERMS ? terms : COLOUR_TERMS;
}

/* Means and largest values; the number of terms on the shorter side tells the
 * picture's shape.  Returns how many bytes. */
static unsigned
print_header(const struct channels *channels, bool is_landscape, unsigned terms, uint8_t *hash)
{
	unsigned first = rounded(63 * channels->brightness.mean) |
	    rounded(31.5 + 31.5 * channels->yellow_blue.mean) << 6 |
	    rounded(31.5 + 31.5 * channels->red_green.mean) << 12 |
	    rounded(31 * channels->brightness.largest) << 18 | (unsigned)channels->has_alpha << 23;
	unsigned second = terms | rounded(63 * channels->yellow_blue.largest) << 3 |
	    rounded(63 * channels->red_green.largest) << 9 | (unsigned)is_landscape << 15;

	hash[0] = (uint8_t)first;
	hash[1] = (uint8_t)(first >> 8);
	hash[2] = (uint8_t)(first >> 16);
	hash[3] = (uint8_t)second;
	hash[4] = (uint8_t)(second >> 8);
	if (!channels->has_alpha)
		return 5;
	hash[5] = (uint8_t)(rounded(15 * channels->alpha.mean) | rounded(15 * channels->alpha.largest) << 4);
	return 6;
}

/* Four bits each, the lower half of a byte first; `nibbles` counts them. */
static void
print_terms(const struct channel *channel, uint8_t *hash, unsigned *nibbles)
{
	for (unsigned i = 0; i < channel->term_count; i++, (*nibbles)++)
		hash[*nibbles / 2] |= (uint8_t)(rounded(15 * channel->terms[i]) << (*nibbles % 2 * 4));
}

unsigned
miniature_thumbhash(const struct miniature *picture, uint8_t hash[THUMBHASH_BYTES_MAX])
{
	unsigned width = picture->width, height = picture->height;
	unsigned longer = width > height ? width : height, limit, across, down, nibbles;
	bool is_landscape = width > height;
	struct channels channels = { 0 };

	fill_channels(picture, &channels);
	limit = channels.has_alpha ? TRANSLUCENT_TERMS : OPAQUE_TERMS;
	across = terms_on(width, longer, limit);
	down = terms_on(height, longer, limit);
	encode(&channels.brightness, width, height, at_least_three(across), at_least_three(down));
	encode(&channels.yellow_blue, width, height, COLOUR_TERMS, COLOUR_TERMS);
	encode(&channels.red_green, width, height, COLOUR_TERMS, COLOUR_TERMS);
	if (channels.has_alpha)
		encode(&channels.alpha, width, height, TRANSLUCENT_TERMS, TRANSLUCENT_TERMS);
	memset(hash, 0, THUMBHASH_BYTES_MAX);
	nibbles = 2 * print_header(&channels, is_landscape, is_landscape ? down : across, hash);
	print_terms(&channels.brightness, hash, &nibbles);
	print_terms(&channels.yellow_blue, hash, &nibbles);
	print_terms(&channels.red_green, hash, &nibbles);
	print_terms(&channels.alpha, hash, &nibbles);
	return (nibbles + 1) / 2;
}
