/*
 * frames - the frames of an animation, each a picture of its own.
 *
 * An animation is decoded as one tall roll.  It is cut apart before anything is
 * scaled, so that no frame bleeds into its neighbours, and joined again at the
 * end.
 */
#include "image/pipeline.h"

#include "base/check.h"

/* For frames that do not say: what browsers show them for. */
enum { DELAY_MS_DEFAULT = 100 };

/* Takes *frame over, also when it fails. */
static bool
add_frame(struct frames *frames, VipsImage *frame, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	VipsImage **image = &frames->images[frames->count++];

	*image = frame;
	return picture_scale(image, &source->description, recipe, geometry, why) &&
	    picture_restore_alpha(image, source, why) && picture_decode(image, why);
}

/* ---- animations -------------------------------------------------------------------------- */

static void
read_times(struct frames *frames, VipsImage *roll)
{
	int *delays = NULL, count = 0;

	frames->delays_ms = g_new(int, frames->count);
	if (vips_image_get_typeof(roll, "delay") != 0)
		vips_image_get_array_int(roll, "delay", &delays, &count);
	if (vips_image_get_typeof(roll, "loop") != 0)
		vips_image_get_int(roll, "loop", &frames->loop);
	vips_error_clear();
	for (unsigned i = 0; i < frames->count; i++)
		frames->delays_ms[i] = (int)i < count ? delays[i] : DELAY_MS_DEFAULT;
}

static bool
cut_apart(struct frames *frames, VipsImage *roll, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	int width = vips_image_get_width(roll), height = vips_image_get_height(roll) / (int)source->frames;

	for (unsigned i = 0; i < source->frames; i++) {
		VipsImage *frame;

		if (vips_extract_area(roll, &frame, 0, (int)i * height, width, height, NULL) == -1)
			return fail_from_vips(why, FAIL_INTERNAL, "cutting frames apart");
		if (!add_frame(frames, frame, source, recipe, geometry, why))
			return false;
	}
	read_times(frames, roll);
	return true;
}

/* ---- what others call ---------------------------------------------------------------------- */

static bool
load(struct frames *frames, VipsImage **image, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	frames->images = g_new0(VipsImage *, source->frames);
	if (source->frames == 1)
		return add_frame(frames, g_object_ref(*image), source, recipe, geometry, why);
	return picture_decode(image, why) && cut_apart(frames, *image, source, recipe, geometry, why);
}

bool
frames_load(struct frames *frames, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	VipsImage *image;
	bool is_loaded;

	*frames = (struct frames){ 0 };
	if (!source_load(source, geometry, &image, why))
		return false;
	is_loaded = load(frames, &image, source, recipe, geometry, why);
	g_object_unref(image);
	if (!is_loaded)
		frames_release(frames);
	return is_loaded;
}

void
frames_release(struct frames *frames)
{
	for (unsigned i = 0; i < frames->count; i++)
		g_object_unref(frames->images[i]);
	g_free(frames->images);
	g_free(frames->delays_ms);
}

/* ---- joining --------------------------------------------------------------------------- */

/*
 * In memory: arrayjoin of 8.14.1 lets go of pipelines that it still reads
 * (libvips issue 3839, fixed in 8.15.2).  NULL and *why when one fails.
 */
static VipsImage **
finish_all(const struct frames *frames, struct failure *why)
{
	VipsImage **finished = g_new0(VipsImage *, frames->count);

	for (unsigned i = 0; i < frames->count; i++) {
		finished[i] = vips_image_copy_memory(frames->images[i]);
		if (finished[i] == NULL) {
			while (i > 0)
				g_object_unref(finished[--i]);
			g_free(finished);
			fail_from_vips(why, FAIL_INTERNAL, "frame");
			return NULL;
		}
		/* Else they would be centred in boxes as large as the largest. */
		CHECK(vips_image_get_width(finished[i]) == vips_image_get_width(finished[0]) &&
		    vips_image_get_height(finished[i]) == vips_image_get_height(finished[0]) &&
		    vips_image_get_bands(finished[i]) == vips_image_get_bands(finished[0]));
	}
	return finished;
}

static void
write_times(const struct frames *frames, VipsImage *image)
{
	vips_image_set_int(image, VIPS_META_PAGE_HEIGHT, vips_image_get_height(frames->images[0]));
	vips_image_set_int(image, VIPS_META_N_PAGES, (int)frames->count);
	vips_image_set_array_int(image, "delay", frames->delays_ms, (int)frames->count);
	vips_image_set_int(image, "loop", frames->loop);
}

bool
frames_join(const struct frames *frames, VipsImage **image, struct failure *why)
{
	VipsImage **finished;
	bool is_joined;

	if (frames->count == 1) {
		*image = g_object_ref(frames->images[0]);
		return true;
	}
	finished = finish_all(frames, why);
	if (finished == NULL)
		return false;
	is_joined = vips_arrayjoin(finished, image, (int)frames->count, "across", 1, NULL) == 0;
	for (unsigned i = 0; i < frames->count; i++)
		g_object_unref(finished[i]);
	g_free(finished);
	if (!is_joined)
		return fail_from_vips(why, FAIL_INTERNAL, "joining frames");
	write_times(frames, *image);
	return true;
}
