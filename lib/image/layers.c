/*
 * layers - what lies over the picture.
 */
#include "image/pipeline.h"

bool
layers_make(struct layers *layers, const struct overlays *overlays, int mark,
    const struct geometry *geometry, const struct image_limits *limits, struct failure *why)
{
	(void)overlays, (void)mark, (void)geometry, (void)limits, (void)why;
	*layers = (struct layers){ 0 };
	return true;
}

void
layers_release(struct layers *layers)
{
	for (unsigned i = 0; i < layers->count; i++)
		g_object_unref(layers->layers[i].image);
}

bool
picture_lay(VipsImage **image, const struct layers *layers, struct failure *why)
{
	(void)image, (void)layers, (void)why;
	return true;
}
