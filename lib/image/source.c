/*
 * source - recognises a file, reads its header, and holds it to the limits.
 *
 * The decoder is chosen here by the first bytes, never by libvips' own
 * guessing, so what is not in load() cannot be reached by any file.
 */
#include "image/pipeline.h"

#include "base/check.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
	SNIFF_BYTES = 4096,	/* SVG may begin with a long comment */
	LEFT_FOR_RESIZE = 2	/* shrink-on-load is a plain average: the last factor of two is ours */
};

static bool
sniff(int input, enum media *media, struct failure *why)
{
	char bytes[SNIFF_BYTES];
	ssize_t got;

	do
		got = pread(input, bytes, sizeof(bytes), 0);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return fail(why, FAIL_INTERNAL, "cannot read the original: %s", strerror(errno));
	*media = media_sniff(bytes, (size_t)got);
	if (*media == MEDIA_NONE)
		return fail(why, FAIL_UNSUPPORTED, got == 0 ? "the file is empty" :
		    "the file is in no format we decode");
	return true;
}

/*
 * fail_on=truncated everywhere: the default fills what is missing with grey and
 * calls it a success.  Sequential access: rows are decoded as they are needed.
 * A file name is never given to a decoder, so an SVG has no folder to refer to.
 */
#define LOAD_OPTIONS "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED

static bool
load(VipsSource *bytes, enum media media, unsigned shrink, double scale, VipsImage **image)
{
	switch (media) {
	case MEDIA_JPEG:
		return vips_jpegload_source(bytes, image, LOAD_OPTIONS, "shrink", (int)shrink, NULL) == 0;
	case MEDIA_PNG:
		return vips_pngload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_WEBP:
		return vips_webpload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_GIF:
		return vips_gifload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_AVIF:
	case MEDIA_HEIC:
		return vips_heifload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_TIFF:
		return vips_tiffload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_SVG:
		/* libvips' "dpi" multiplies everything, also pixels: at its default of
		 * 72 a width of 40 is 40 pixels, as in browsers. */
		return vips_svgload_source(bytes, image, LOAD_OPTIONS, "scale", scale, NULL) == 0;
	case MEDIA_JXL:
		return vips_jxlload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_NONE:
	case MEDIA_COUNT:
		break;
	}
	CHECK(false);
}

static bool
has_flag(VipsImage *image, const char *name)
{
	int value;

	return vips_image_get_typeof(image, name) != 0 && vips_image_get_int(image, name, &value) == 0 &&
	    value != 0;
}

/* Frames of an animation.  Pages of a TIFF or pictures in a HEIC are not:
 * only the first is ever looked at. */
static unsigned
frame_count(VipsImage *image, enum media media)
{
	return media == MEDIA_GIF || media == MEDIA_WEBP ? (unsigned)vips_image_get_n_pages(image) : 1;
}

static struct image_description
describe(VipsImage *image, enum media media)
{
	return (struct image_description){
		.media = media,
		.width = (unsigned)vips_image_get_width(image),
		.height = (unsigned)vips_image_get_height(image),
		.frames = frame_count(image, media),
		/* libheif turns pictures by their own boxes; the EXIF tag is a
		 * second telling of the same (ISO/IEC 23008-12 section 6.5.10). */
		.orientation = media == MEDIA_HEIC || media == MEDIA_AVIF ? 1 :
		    (unsigned)vips_image_get_orientation(image),
		.has_alpha = vips_image_hasalpha(image),
		.is_progressive = has_flag(image, "interlaced") || has_flag(image, "jpeg-multiscan"),
	};
}

static bool
is_within_limits(const struct image_description *description, const struct image_limits *limits,
    struct failure *why)
{
	uint64_t pixels = (uint64_t)description->width * description->height;

	if (pixels > limits->max_pixels / description->frames)
		return fail(why, FAIL_UNPROCESSABLE,
		    "the image has %u x %u pixels in %u frame(s), the limit is %llu pixels",
		    description->width, description->height, description->frames,
		    (unsigned long long)limits->max_pixels);
	return true;
}

bool
source_open(struct source *source, int input, const struct recipe *recipe, enum media format,
    const struct image_limits *limits, struct failure *why)
{
	enum media media;

	(void)recipe, (void)format;
	*source = (struct source){ .frames = 1 };
	if (!sniff(input, &media, why))
		return false;
	/* libvips reads on from where the file position is. */
	if (lseek(input, 0, SEEK_SET) == -1)
		return fail(why, FAIL_INTERNAL, "the original is not a regular file: %s", strerror(errno));
	source->bytes = vips_source_new_from_descriptor(input);
	if (source->bytes == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "opening the original");
	if (!load(source->bytes, media, 1, 1.0, &source->image)) {
		source_close(source);
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	}
	source->description = describe(source->image, media);
	if (!is_within_limits(&source->description, limits, why)) {
		source_close(source);
		return false;
	}
	return true;
}

void
source_close(struct source *source)
{
	g_clear_object(&source->image);
	g_clear_object(&source->bytes);
}

/* How often the wanted part of the picture is larger than its result, by the
 * side that shrinks less. */
static double
shrink_factor(const struct geometry *geometry)
{
	return fmin((double)geometry->source.width / geometry->scaled_width,
	    (double)geometry->source.height / geometry->scaled_height);
}

/* libjpeg decodes to a half, a quarter or an eighth for a fraction of the cost. */
static unsigned
jpeg_shrink(double factor)
{
	for (unsigned shrink = 8; shrink > 1; shrink /= 2)
		if (factor >= shrink * LEFT_FOR_RESIZE)
			return shrink;
	return 1;
}

bool
source_load(const struct source *source, const struct geometry *geometry, VipsImage **image,
    struct failure *why)
{
	enum media media = source->description.media;
	double factor = shrink_factor(geometry);
	unsigned shrink = media == MEDIA_JPEG ? jpeg_shrink(factor) : 1;
	double scale = media == MEDIA_SVG ? 1 / factor : 1.0;

	if (shrink == 1 && scale == 1.0) {
		*image = g_object_ref(source->image);
		return true;
	}
	if (!load(source->bytes, media, shrink, scale, image))
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	return true;
}
