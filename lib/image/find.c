/*
 * find - what only the pixels know: where the margins end, what draws the eye.
 */
#include "image/pipeline.h"

bool
source_find_visible(const struct source *source, const struct recipe *recipe,
    struct geometry_source *size, struct failure *why)
{
	(void)source, (void)recipe, (void)size, (void)why;
	return true;
}

bool
source_find_point(const struct source *source, const struct geometry_source *size,
    const struct geometry *centred, struct recipe *recipe, struct failure *why)
{
	(void)source, (void)size, (void)centred, (void)why;
	recipe->gravity = GRAVITY_CENTRE;
	return true;
}
