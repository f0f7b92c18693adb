/*
 * provision - what libraries fetch when they first need it, fetched while this
 * process may still open files and map code (renderer/sandbox.h).
 *
 * Nothing here makes a thread.
 */
#include "image/pipeline.h"

#include <iconv.h>

/* Of SVG documents, besides those that libxml2 knows itself (UTF-8, UTF-16,
 * ISO-8859-1, ASCII): what https://encoding.spec.whatwg.org/ names and glibc
 * has.  Each is a shared object, which stays loaded while one of its
 * converters is open. */
static const char *const encodings[] = {
	"ISO-8859-2", "ISO-8859-5", "ISO-8859-7", "ISO-8859-9", "ISO-8859-15",
	"WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1257",
	"KOI8-R", "KOI8-U", "GBK", "GB18030", "BIG5", "EUC-JP", "SHIFT_JIS", "EUC-KR",
};

/* Never closed. */
static iconv_t converters[G_N_ELEMENTS(encodings)];

/* A machine may have few of them; then SVGs in the others are refused. */
static void
load_encodings(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++)
		converters[i] = iconv_open("UTF-8", encodings[i]);
}

/* ORC compiles the inner loops of libvips into a region of 64 KiB, which it maps
 * with the first of them, and would map another one when that is full: it has
 * room for about 17 operations that exist at the same time, and a job has few.
 * To do without costs twice the time for enlarging and reducing. */
static bool
map_code_memory(struct failure *why)
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

bool
image_provide(struct failure *why)
{
	load_encodings();
	return map_code_memory(why);
}
