#include "image/similarity.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOW = SIMILARITY_WINDOW };

/* What is averaged over the window, weighted. */
struct moments {
	float one, other, one_squared, other_squared, product;
};

static void
make_weights(float *weights)
{
	double sigma = 1.5, sum = 0;

	for (int i = 0; i < WINDOW; i++)
		sum += exp(-(i - WINDOW / 2) * (i - WINDOW / 2) / (2 * sigma * sigma));
	for (int i = 0; i < WINDOW; i++)
		weights[i] = (float)(exp(-(i - WINDOW / 2) * (i - WINDOW / 2) / (2 * sigma * sigma)) / sum);
}

/* Windows of one row, from left to right. */
static void
average_row(const uint8_t *one, const uint8_t *other, unsigned count, const float *weights, struct moments *row)
{
	for (unsigned x = 0; x < count; x++) {
		struct moments sum = { 0 };

		for (unsigned i = 0; i < WINDOW; i++) {
			float a = one[x + i], b = other[x + i], weight = weights[i];

			sum.one += weight * a;
			sum.other += weight * b;
			sum.one_squared += weight * a * a;
			sum.other_squared += weight * b * b;
			sum.product += weight * a * b;
		}
		row[x] = sum;
	}
}

/* The formula (13) of the paper. */
static double
similarity_at(const struct moments *mean)
{
	const double c1 = (0.01 * 255) * (0.01 * 255), c2 = (0.03 * 255) * (0.03 * 255);
	double a = mean->one, b = mean->other;
	double variance_a = mean->one_squared - a * a, variance_b = mean->other_squared - b * b;
	double covariance = mean->product - a * b;

	return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (variance_a + variance_b + c2));
}

/* The windows whose last row is y; rows[] holds the latest WINDOW of them in a ring. */
static double
sum_of_row(const struct moments *rows, unsigned count, unsigned y, const float *weights)
{
	double sum = 0;

	for (unsigned x = 0; x < count; x++) {
		struct moments mean = { 0 };

		for (unsigned i = 0; i < WINDOW; i++) {
			const struct moments *row = &rows[(y + 1 + i) % WINDOW * count + x];

			mean.one += weights[i] * row->one;
			mean.other += weights[i] * row->other;
			mean.one_squared += weights[i] * row->one_squared;
			mean.other_squared += weights[i] * row->other_squared;
			mean.product += weights[i] * row->product;
		}
		sum += similarity_at(&mean);
	}
	return sum;
}

double
similarity_of(const struct luma *one, const struct luma *other)
{
	float weights[WINDOW];
	unsigned count = one->width - WINDOW + 1;
	struct moments *rows;
	double sum = 0;

	CHECK(one->width == other->width && one->height == other->height);
	CHECK(one->width >= WINDOW && one->height >= WINDOW);
	rows = calloc((size_t)count * WINDOW, sizeof(*rows));
	CHECK(rows != NULL);
	make_weights(weights);
	for (unsigned y = 0; y < one->height; y++) {
		size_t at = (size_t)y * one->width;

		average_row(one->pixels + at, other->pixels + at, count, weights, &rows[y % WINDOW * count]);
		if (y + 1 >= WINDOW)
			sum += sum_of_row(rows, count, y, weights);
	}
	free(rows);
	return sum / ((double)count * (one->height - WINDOW + 1));
}
