/*
 * encode - from the finished picture to the file that is sent.
 */
#include "image/encoder.h"
#include "image/fields.h"
#include "image/pipeline.h"
#include "image/quality.h"
#include "image/rewrap.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PACKET_ROOM = 1024 };	/* bytes around an XMP packet, at most */

static bool
fits_the_format(VipsImage *image, enum media format, struct failure *why)
{
	unsigned width = (unsigned)vips_image_get_width(image);
	unsigned height = (unsigned)vips_image_get_page_height(image);
	unsigned side = VIPS_MAX(width, height), max_side = encoder_max_side(format);

	if (side > max_side)
		return fail(why, FAIL_UNPROCESSABLE, "%s has at most %u pixels a side, the result has %u",
		    media_extension(format), max_side, side);
	return true;
}

static bool
is_still(VipsImage *image)
{
	return vips_image_get_page_height(image) == vips_image_get_height(image);
}

/* With max-bytes, *settings becomes what was made of it. */
static bool
make_draft(VipsImage *image, const struct recipe *recipe, struct encoder_settings *settings, struct draft *draft,
    struct failure *why)
{
	bool is_searched = recipe->quality_choice == QUALITY_AUTO && encoder_has_quality(settings) && is_still(image);
	bool is_made = is_searched ? quality_find_similar(image, settings, draft, why) :
	    encoder_write(image, settings, draft, why);

	if (recipe->max_bytes == 0 || (!is_made && !draft->is_too_large))
		return is_made;
	if (is_made && draft->bytes->len <= recipe->max_bytes)
		return true;
	failure_clear(why);
	switch (quality_find_fitting(image, settings, recipe->max_bytes, draft, why)) {
	case QUALITY_FITS:
		return true;
	case QUALITY_TOO_LARGE:
		return fail(why, FAIL_UNPROCESSABLE,
		    "max-bytes=%llu is less than the smallest file that was reached, of %u bytes",
		    (unsigned long long)recipe->max_bytes, draft->bytes->len);
	case QUALITY_FAILED:
		break;
	}
	return false;
}

/* ---- never larger than the original ------------------------------------------------------------- */

/* Where a codestream of JPEG XL ends, only its decoder knows, and what stands behind
 * that could be anything. */
static bool
can_be_rewrapped(enum media format)
{
	return format != MEDIA_JXL;
}

/* The original without its metadata, but with what *image has to carry. */
static bool
rewrap_original(VipsImage *image, const struct encoding *encoding, size_t length, struct text *file)
{
	struct span packet = fields_xmp(image);
	char *original = arena_alloc(file->arena, length);
	size_t got = 0;

	while (got < length) {
		ssize_t bytes = pread(encoding->input, original + got, length - got, (off_t)got);

		if (bytes == -1 && errno == EINTR)
			continue;
		if (bytes <= 0)
			return false;
		got += (size_t)bytes;
	}
	text_init(file, file->arena, length + packet.length + PACKET_ROOM);
	/* With strip=keep it goes out as it is. */
	if (encoding->recipe->strip != STRIP_KEEP)
		return can_be_rewrapped(encoding->format) && rewrap(encoding->format, span_range(original, length),
		    picture_has_profile(encoding->source->image), packet, file);
	text_add_bytes(file, original, length);
	return true;
}

/* The original's own pixels, if its file can be read; else a quality at which the result is no larger,
 * if there is one; else the draft stays as it is. */
static bool
make_no_larger(VipsImage *image, const struct encoding *encoding, size_t length,
    struct encoder_settings *settings, struct draft *draft, struct failure *why)
{
	struct arena *arena = arena_new();
	struct text file = { .arena = arena };
	enum quality_answer answer = QUALITY_TOO_LARGE;
	struct draft smaller;

	if (rewrap_original(image, encoding, length, &file) && file.length < draft->bytes->len) {
		g_byte_array_set_size(draft->bytes, 0);
		g_byte_array_append(draft->bytes, (const guint8 *)file.at, (guint)file.length);
		arena_free(arena);
		return true;
	}
	arena_free(arena);
	if (!encoder_has_quality(settings))
		return true;
	draft_init(&smaller, draft->max_bytes);
	answer = quality_find_fitting(image, settings, length, &smaller, why);
	if (answer == QUALITY_FITS) {
		struct draft larger = *draft;

		*draft = smaller;
		smaller = larger;
	}
	draft_release(&smaller);
	return answer != QUALITY_FAILED;
}

static bool
keep_no_larger(VipsImage *image, const struct encoding *encoding, struct encoder_settings *settings,
    struct draft *draft, struct failure *why)
{
	struct stat original;

	if (!encoding->is_untouched || fstat(encoding->input, &original) == -1 ||
	    (uint64_t)original.st_size >= draft->bytes->len)
		return true;
	return make_no_larger(image, encoding, (size_t)original.st_size, settings, draft, why);
}

/* ---- the file -------------------------------------------------------------------------------------- */

static bool
write_file(const struct draft *draft, struct output *output, struct failure *why)
{
	if (output_write(output, draft->bytes->data, draft->bytes->len))
		return true;
	return fail(why, FAIL_INTERNAL, "cannot write the result: %s", strerror(output->error));
}

bool
picture_encode(VipsImage *image, const struct encoding *encoding, struct output *output,
    struct failure *why)
{
	struct encoder_settings settings = encoder_settings_for(encoding->recipe, encoding->format);
	struct draft draft;
	bool is_made;

	if (!fits_the_format(image, encoding->format, why))
		return false;
	draft_init(&draft, output->max_bytes);
	is_made = make_draft(image, encoding->recipe, &settings, &draft, why) &&
	    keep_no_larger(image, encoding, &settings, &draft, why) && write_file(&draft, output, why);
	draft_release(&draft);
	return is_made;
}
