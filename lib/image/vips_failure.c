#include "image/pipeline.h"

#include <string.h>

/* Decoders that lack a codec say so only in words: "Unsupported feature:
 * Unsupported codec" (libheif), "unsupported ... " (libtiff, libvips). */
static bool
names_a_missing_feature(const char *words)
{
	return strstr(words, "nsupported") != NULL || strstr(words, "not support") != NULL;
}

bool
fail_from_vips(struct failure *why, enum failure_kind kind, const char *step)
{
	char words[FAILURE_DETAIL_MAX];
	size_t length = 0;

	/* One line; libvips ends each of its messages with a newline. */
	for (const char *at = vips_error_buffer(); *at != '\0' && length < sizeof(words) - 2; at++) {
		if (*at != '\n')
			words[length++] = *at;
		else if (at[1] != '\0') {
			words[length++] = ';';
			words[length++] = ' ';
		}
	}
	words[length] = '\0';
	vips_error_clear();
	if (kind == FAIL_UNPROCESSABLE && names_a_missing_feature(words))
		kind = FAIL_UNSUPPORTED;
	return fail(why, kind, "%s: %.200s", step, length > 0 ? words : "no reason given");
}

bool
fail_for_made_up_pixels(struct failure *why)
{
	static const char *const faults[] = {
		"premature end of data segment",	/* JWRN_HIT_MARKER: the rest is grey */
		"bad Huffman code",			/* JWRN_HUFF_BAD_CODE */
		"instead of RST",			/* JWRN_MUST_RESYNC: a part is missing */
		"Premature end of JPEG file",		/* JWRN_JPEG_EOF */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
		if (strstr(vips_error_buffer(), faults[i]) != NULL)
			return fail_from_vips(why, FAIL_UNPROCESSABLE, "damaged image");
	vips_error_clear();
	return true;
}

void
image_replace(VipsImage **image, VipsImage *next)
{
	g_object_unref(*image);
	*image = next;
}
