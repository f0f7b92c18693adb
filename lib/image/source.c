/*
 * source - recognises a file, reads its header, and holds it to the limits.
 *
 * The decoder is chosen here by the first bytes, never by libvips' own
 * guessing, so what is not in load() cannot be reached by any file.  What a
 * decoder would blow up while it reads the header is refused before (bomb.c).
 */
#include "image/pipeline.h"

#include "base/check.h"
#include "image/gif.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
	SNIFF_BYTES = 4096,	/* SVG may begin with a long comment */
	LEFT_FOR_RESIZE = 2,	/* shrink-on-load is a plain average: the last factor of two is ours */
	/* libnsgif stops counting one frame later (NSGIF_FRAMES_MAX): with more than
	 * these an animation would be cut short in silence. */
	FRAMES_MAX = 4096,
	/* Large ICC profiles of printers have 4 MB, EXIF 64 kB. */
	METADATA_MAX = 16 << 20
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

/* ---- loading -------------------------------------------------------------------------- */

/* What of a file is loaded, and how much smaller than it is. */
struct loading {
	unsigned page;	/* from 1; 0: the one that stands for the file */
	bool has_all;	/* all frames, below each other */
	unsigned shrink;	/* JPEG: 1, 2, 4 or 8 */
	double scale;		/* SVG */
};

/*
 * fail_on=truncated everywhere: the default fills what is missing with grey and
 * calls it a success.  Sequential access: rows are decoded as they are needed.
 * A file name is never given to a decoder, so an SVG has no folder to refer to.
 */
#define LOAD_OPTIONS "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED

static bool
load(VipsSource *bytes, enum media media, const struct loading *loading, VipsImage **image)
{
	int page = loading->page > 0 ? (int)loading->page - 1 : 0;
	int count = loading->has_all ? -1 : 1;

	switch (media) {
	case MEDIA_JPEG:
		return vips_jpegload_source(bytes, image, LOAD_OPTIONS, "shrink", (int)loading->shrink, NULL) == 0;
	case MEDIA_PNG:
		return vips_pngload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_WEBP:
		return vips_webpload_source(bytes, image, LOAD_OPTIONS, "page", page, "n", count, NULL) == 0;
	case MEDIA_GIF:
		return vips_gifload_source(bytes, image, LOAD_OPTIONS, "page", page, "n", count, NULL) == 0;
	case MEDIA_AVIF:
	case MEDIA_HEIC:
		/* Without a page it is the primary picture, which need not be the first. */
		if (loading->page == 0)
			return vips_heifload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
		return vips_heifload_source(bytes, image, LOAD_OPTIONS, "page", page, NULL) == 0;
	case MEDIA_TIFF:
		return vips_tiffload_source(bytes, image, LOAD_OPTIONS, "page", page, NULL) == 0;
	case MEDIA_SVG:
		/* libvips' "dpi" multiplies everything, also pixels: at its default of
		 * 72 a width of 40 is 40 pixels, as in browsers. */
		return vips_svgload_source(bytes, image, LOAD_OPTIONS, "scale", loading->scale, NULL) == 0;
	case MEDIA_JXL:
		return vips_jxlload_source(bytes, image, LOAD_OPTIONS, NULL) == 0;
	case MEDIA_NONE:
	case MEDIA_COUNT:
		break;
	}
	CHECK(false);
}

/* ---- the header ------------------------------------------------------------------------- */

static int
number_field(VipsImage *image, const char *name, int fallback)
{
	int value = fallback;

	if (vips_image_get_typeof(image, name) == G_TYPE_INT && vips_image_get_int(image, name, &value) == -1)
		vips_error_clear();
	return value;
}

/* Not by vips_image_get_n_pages(), to which 10000 pages and more are one. */
static unsigned
frame_count(VipsImage *image)
{
	int pages = number_field(image, VIPS_META_N_PAGES, 1);

	return pages > 1 ? (unsigned)pages : 1;
}

static struct image_description
describe(VipsImage *image, enum media media)
{
	return (struct image_description){
		.media = media,
		.width = (unsigned)vips_image_get_width(image),
		.height = (unsigned)vips_image_get_height(image),
		.frames = frame_count(image),
		/* libheif turns pictures by their own boxes; the EXIF tag is a
		 * second telling of the same (ISO/IEC 23008-12 section 6.5.10). */
		.orientation = media == MEDIA_HEIC || media == MEDIA_AVIF ? 1 :
		    (unsigned)vips_image_get_orientation(image),
		.has_alpha = vips_image_hasalpha(image),
		.is_progressive = number_field(image, "interlaced", 0) != 0 ||
		    number_field(image, "jpeg-multiscan", 0) != 0,
	};
}

static void *
add_field_bytes(VipsImage *image, const char *name, GValue *value, void *total)
{
	size_t length = 0;

	(void)image, (void)name;
	if (G_VALUE_TYPE(value) == VIPS_TYPE_BLOB)
		vips_value_get_blob(value, &length);
	else if (G_VALUE_TYPE(value) == VIPS_TYPE_REF_STRING)
		vips_value_get_ref_string(value, &length);
	*(size_t *)total += length;
	return NULL;
}

/* What decoders keep beside the pixels, and what each copy of the picture drags along. */
static bool
has_little_metadata(VipsImage *image, struct failure *why)
{
	size_t total = 0;

	vips_image_map(image, add_field_bytes, &total);
	if (total > METADATA_MAX)
		return fail(why, FAIL_UNPROCESSABLE, "the image has %zu bytes of metadata, the limit is %d", total,
		    METADATA_MAX);
	return true;
}

static bool
is_within_limits(const struct source *source, const struct image_limits *limits, struct failure *why)
{
	const struct image_description *description = &source->description;
	uint64_t pixels = (uint64_t)description->width * description->height;

	if (pixels > limits->max_pixels)
		return fail(why, FAIL_UNPROCESSABLE, "the image has %u x %u pixels, the limit is %llu pixels",
		    description->width, description->height, (unsigned long long)limits->max_pixels);
	if (source->frames > 1 && pixels > limits->max_animation_pixels / source->frames)
		return fail(why, FAIL_UNPROCESSABLE,
		    "the animation has %u frames of %u x %u pixels, the limit is %llu pixels for all",
		    source->frames, description->width, description->height,
		    (unsigned long long)limits->max_animation_pixels);
	return has_little_metadata(source->image, why);
}

static bool
has_few_frames(unsigned frames, const struct image_limits *limits, struct failure *why)
{
	unsigned max = VIPS_MIN(limits->max_frames, FRAMES_MAX);

	if (frames > max)
		return fail(why, FAIL_UNPROCESSABLE, "the image has more frames or pages than the limit of %u", max);
	return true;
}

/* ---- which frames ------------------------------------------------------------------------- */

static bool
open_header(struct source *source, enum media media, const struct loading *loading, struct failure *why)
{
	g_clear_object(&source->image);
	if (!load(source->bytes, media, loading, &source->image))
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	return true;
}

static bool
is_animated(const struct image_description *description)
{
	return description->frames > 1 && (description->media == MEDIA_GIF || description->media == MEDIA_WEBP);
}

/* The first header told how many frames there are; the frames that are wanted
 * may be others. */
static bool
choose_frames(struct source *source, const struct recipe *recipe, enum media format, struct failure *why)
{
	struct image_description *description = &source->description;
	unsigned frames = description->frames;

	if (recipe == NULL)
		return true;
	if (recipe->page > frames)
		return fail(why, FAIL_BAD_REQUEST, "page=%u of an image with %u", recipe->page, frames);
	source->page = recipe->page;
	if (is_animated(description) && recipe_keeps_frames(recipe, frames, format))
		source->frames = frames;
	if (source->page == 0)
		return true;
	if (!open_header(source, description->media,
	    &(struct loading){ .page = source->page, .shrink = 1, .scale = 1 }, why))
		return false;
	*description = describe(source->image, description->media);
	return true;
}

/* The limits come first: with many frames this reads much of the file. */
static bool
open_all_frames(struct source *source, struct failure *why)
{
	return source->frames == 1 || open_header(source, source->description.media,
	    &(struct loading){ .has_all = true, .shrink = 1, .scale = 1 }, why);
}

static bool
is_whole(VipsSource *bytes, enum media media, struct failure *why)
{
	size_t length;
	const void *file;

	if (media != MEDIA_GIF)
		return true;
	file = vips_source_map(bytes, &length);
	if (file == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "reading the original");
	if (gif_is_cut_off(span_range(file, length)))
		return fail(why, FAIL_UNPROCESSABLE, "damaged image: the GIF ends in the middle");
	return true;
}

static bool
open_within_limits(struct source *source, enum media media, const struct recipe *recipe, enum media format,
    const struct image_limits *limits, struct failure *why)
{
	if (!is_whole(source->bytes, media, why) ||
	    !open_header(source, media, &(struct loading){ .shrink = 1, .scale = 1 }, why))
		return false;
	source->description = describe(source->image, media);
	return has_few_frames(source->description.frames, limits, why) &&
	    choose_frames(source, recipe, format, why) && is_within_limits(source, limits, why) &&
	    open_all_frames(source, why);
}

bool
source_open(struct source *source, int input, const struct recipe *recipe, enum media format,
    const struct image_limits *limits, struct failure *why)
{
	enum media media;

	*source = (struct source){ .frames = 1 };
	if (!sniff(input, &media, why) || !file_is_no_bomb(input, media, why))
		return false;
	/* libvips reads on from where the file position is. */
	if (lseek(input, 0, SEEK_SET) == -1)
		return fail(why, FAIL_INTERNAL, "the original is not a regular file: %s", strerror(errno));
	source->bytes = vips_source_new_from_descriptor(input);
	if (source->bytes == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "opening the original");
	if (!open_within_limits(source, media, recipe, format, limits, why)) {
		source_close(source);
		return false;
	}
	return true;
}

void
source_close(struct source *source)
{
	g_clear_object(&source->mezzanine);
	g_clear_object(&source->base);
	g_clear_object(&source->image);
	g_clear_object(&source->bytes);
}

/* ---- pixels -------------------------------------------------------------------------------- */

double
shrink_factor(const struct geometry *geometry)
{
	return fmin((double)geometry->turned_width / geometry->scaled_width,
	    (double)geometry->turned_height / geometry->scaled_height);
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

static struct loading
loading_for(const struct source *source, double factor)
{
	enum media media = source->description.media;

	return (struct loading){
		.page = source->page,
		.has_all = source->frames > 1,
		.shrink = media == MEDIA_JPEG ? jpeg_shrink(factor) : 1,
		.scale = media == MEDIA_SVG ? 1 / factor : 1,
	};
}

static bool
load_pixels(const struct source *source, const struct loading *loading, VipsImage **image, struct failure *why)
{
	if (!load(source->bytes, source->description.media, loading, image))
		return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	return true;
}

bool
source_load_shrunk(const struct source *source, unsigned shrink, VipsImage **image, struct failure *why)
{
	struct loading loading = { .shrink = shrink, .scale = 1 };

	if (source->description.media == MEDIA_JPEG && shrink > 1)
		return load_pixels(source, &loading, image, why);
	*image = g_object_ref(source->image);
	return true;
}

bool
source_load(const struct source *source, const struct geometry *geometry, VipsImage **image,
    struct failure *why)
{
	struct loading loading = loading_for(source, shrink_factor(geometry));

	if (source->base != NULL) {
		*image = g_object_ref(source->base);
		return true;
	}
	if (source->is_asked_again)
		loading.shrink = VIPS_MIN(loading.shrink, description_kept_shrink(&source->description));
	if (loading.shrink == 1 && loading.scale == 1.0) {
		*image = g_object_ref(source->image);
		return true;
	}
	return load_pixels(source, &loading, image, why);
}

bool
source_load_aside(const struct source *source, unsigned frames, const struct geometry *geometry,
    VipsImage **image, struct failure *why)
{
	struct loading loading = loading_for(source, shrink_factor(geometry));

	loading.has_all = frames > 1;
	return load_pixels(source, &loading, image, why);
}
