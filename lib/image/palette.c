#include "image/miniature.h"
#include "image/srgb.h"

#include <math.h>

/* In Oklab, where 0.02 is about what the eye can tell apart. */
#define NOTICEABLE 0.02

enum {
	ROUNDS_MAX = 8,		/* after each split; it settles sooner */
	AREA_MIN_PER_MILLE = 10	/* where two colours meet, scaling makes some that are in neither */
};

struct cluster {
	double mean[3];
	double spread[3];	/* sum of the squared distances from the mean, along each axis */
	unsigned pixels;
};

struct partition {
	double points[MINIATURE_PIXELS_MAX][3];		/* Oklab */
	uint8_t owners[MINIATURE_PIXELS_MAX];		/* which cluster */
	unsigned point_count;
	struct cluster clusters[PORTRAIT_PALETTE_MAX];
	unsigned cluster_count;
};

/* ---- Oklab --------------------------------------------------------------------- */

static void
to_oklab(const double rgb[3], double lab[3])
{
	double l = cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
	double m = cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
	double s = cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);

	lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
	lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
	lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

static double
cube(double value)
{
	return value * value * value;
}

static void
to_srgb(const double lab[3], uint8_t colour[3])
{
	double l = cube(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2]);
	double m = cube(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2]);
	double s = cube(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2]);

	colour[0] = srgb_of_linear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
	colour[1] = srgb_of_linear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
	colour[2] = srgb_of_linear(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

static void
fill_points(const struct miniature *picture, struct partition *partition)
{
	double linear[256];

	srgb_fill_table(linear);
	partition->point_count = picture->width * picture->height;
	for (unsigned i = 0; i < partition->point_count; i++) {
		const uint8_t *pixel = picture->pixels[i];
		double rgb[3] = { linear[pixel[0]], linear[pixel[1]], linear[pixel[2]] };

		to_oklab(rgb, partition->points[i]);
		partition->owners[i] = 0;
	}
}

/* ---- clusters ------------------------------------------------------------------ */

/* Counts, means and spreads, from who owns what.  One that owns nothing any
 * more stays where it was. */
static void
measure(struct partition *partition)
{
	double sums[PORTRAIT_PALETTE_MAX][3] = { 0 };

	for (unsigned k = 0; k < partition->cluster_count; k++)
		partition->clusters[k].pixels = 0;
	for (unsigned i = 0; i < partition->point_count; i++) {
		partition->clusters[partition->owners[i]].pixels++;
		for (unsigned axis = 0; axis < 3; axis++)
			sums[partition->owners[i]][axis] += partition->points[i][axis];
	}
	for (unsigned k = 0; k < partition->cluster_count; k++)
		for (unsigned axis = 0; axis < 3; axis++) {
			struct cluster *cluster = &partition->clusters[k];

			cluster->spread[axis] = 0;
			if (cluster->pixels > 0)
				cluster->mean[axis] = sums[k][axis] / cluster->pixels;
		}
	for (unsigned i = 0; i < partition->point_count; i++) {
		struct cluster *cluster = &partition->clusters[partition->owners[i]];

		for (unsigned axis = 0; axis < 3; axis++) {
			double distance = partition->points[i][axis] - cluster->mean[axis];

			cluster->spread[axis] += distance * distance;
		}
	}
}

static double
total_spread(const struct cluster *cluster)
{
	return cluster->spread[0] + cluster->spread[1] + cluster->spread[2];
}

/* Parts the widest cluster at its mean, along the axis in which it is widest.
 * False when even that one is a single colour to the eye. */
static bool
split(struct partition *partition)
{
	unsigned widest = 0, axis = 0, fresh = partition->cluster_count;
	const struct cluster *cluster;

	for (unsigned k = 1; k < partition->cluster_count; k++)
		if (total_spread(&partition->clusters[k]) > total_spread(&partition->clusters[widest]))
			widest = k;
	cluster = &partition->clusters[widest];
	if (total_spread(cluster) < NOTICEABLE * NOTICEABLE * cluster->pixels)
		return false;
	for (unsigned other = 1; other < 3; other++)
		if (cluster->spread[other] > cluster->spread[axis])
			axis = other;
	for (unsigned i = 0; i < partition->point_count; i++)
		if (partition->owners[i] == widest && partition->points[i][axis] > cluster->mean[axis])
			partition->owners[i] = (uint8_t)fresh;
	partition->cluster_count++;
	measure(partition);
	return true;
}

static double
distance_squared(const double one[3], const double other[3])
{
	double sum = 0;

	for (unsigned axis = 0; axis < 3; axis++)
		sum += (one[axis] - other[axis]) * (one[axis] - other[axis]);
	return sum;
}

static uint8_t
nearest_cluster(const struct partition *partition, const double point[3])
{
	double nearest_distance = INFINITY;
	unsigned nearest = 0;

	for (unsigned k = 0; k < partition->cluster_count; k++) {
		double distance = distance_squared(point, partition->clusters[k].mean);

		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = k;
		}
	}
	return (uint8_t)nearest;
}

/* Every point to the nearest mean; whether any changed hands. */
static bool
settle_once(struct partition *partition)
{
	bool has_changed = false;

	for (unsigned i = 0; i < partition->point_count; i++) {
		uint8_t owner = nearest_cluster(partition, partition->points[i]);

		has_changed |= owner != partition->owners[i];
		partition->owners[i] = owner;
	}
	measure(partition);
	return has_changed;
}

static void
settle(struct partition *partition)
{
	for (unsigned round = 0; round < ROUNDS_MAX && settle_once(partition); round++)
		;
}

/* By the number of pixels; of equal ones the older first. */
static void
sort(struct partition *partition)
{
	for (unsigned i = 1; i < partition->cluster_count; i++) {
		struct cluster cluster = partition->clusters[i];
		unsigned at = i;

		for (; at > 0 && partition->clusters[at - 1].pixels < cluster.pixels; at--)
			partition->clusters[at] = partition->clusters[at - 1];
		partition->clusters[at] = cluster;
	}
}

static bool
is_large_enough(const struct partition *partition, unsigned k)
{
	return partition->clusters[k].pixels * 1000 >= partition->point_count * AREA_MIN_PER_MILLE;
}

unsigned
miniature_palette(const struct miniature *picture, uint8_t colours[PORTRAIT_PALETTE_MAX][3])
{
	struct partition partition = { .cluster_count = 1 };
	unsigned count = 0;

	fill_points(picture, &partition);
	measure(&partition);
	while (partition.cluster_count < PORTRAIT_PALETTE_MAX && split(&partition))
		settle(&partition);
	sort(&partition);
	for (; count < partition.cluster_count && is_large_enough(&partition, count); count++)
		to_srgb(partition.clusters[count].mean, colours[count]);
	return count;
}
