/*
 * provision - what libraries fetch when they first need it, fetched while this
 * process may still open files and map code (renderer/sandbox.h).
 *
 * Nothing here makes a thread.
 */
#include "image/pipeline.h"

/* ORC compiles the inner loops of libvips into a region of 64 KiB, which it maps
 * with the first of them, and would map another one when that is full: it has
 * room for about 17 operations that exist at the same time, and a job has few.
 * To do without costs twice the time for enlarging and reducing. */
bool
image_provide(struct failure *why)
{
	VipsImage *black, *reduced;

	if (vips_black(&black, 8, 8, "bands", 3, NULL) != 0)
		return fail_from_vips(why, FAIL_INTERNAL, "libvips does not work");
	if (vips_reducev(black, &reduced, 2, NULL) != 0) {
		g_object_unref(black);
		return fail_from_vips(why, FAIL_INTERNAL, "libvips does not work");
	}
	g_object_unref(reduced);
	g_object_unref(black);
	return true;
}
