/*
 * portrait - how a picture looks, in a few bytes.
 */
#include "image/pipeline.h"

bool
source_portray(const struct source *source, struct image_portrait *portrait, struct failure *why)
{
	(void)source, (void)why;
	*portrait = (struct image_portrait){ .palette_count = 1 };
	return true;
}
