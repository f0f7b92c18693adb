/*
 * frames - the frames of an animation, each a picture of its own.
 */
#include "image/pipeline.h"

bool
frames_load(struct frames *frames, const struct source *source, const struct recipe *recipe,
    const struct geometry *geometry, struct failure *why)
{
	VipsImage *image;

	*frames = (struct frames){ 0 };
	if (!source_load(source, geometry, &image, why))
		return false;
	if (!picture_scale(&image, &source->description, recipe, geometry, why) || !picture_decode(&image, why)) {
		g_object_unref(image);
		return false;
	}
	frames->images = g_new(VipsImage *, 1);
	frames->images[0] = image;
	frames->count = 1;
	return true;
}

void
frames_release(struct frames *frames)
{
	for (unsigned i = 0; i < frames->count; i++)
		g_object_unref(frames->images[i]);
	g_free(frames->images);
	g_free(frames->delays_ms);
}

bool
frames_join(const struct frames *frames, VipsImage **image, struct failure *why)
{
	(void)why;
	*image = g_object_ref(frames->images[0]);
	return true;
}
