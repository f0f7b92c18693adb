/*
 * fuzz_image - whole files through everything that touches pixels.
 *
 * The first line says what is asked, "w=40,fit=cover - webp": recipe, overlays, format; the rest
 * is the file, which is also the picture of a watermark.  What is refused is never the fault of
 * this machine (FAIL_INTERNAL); what is made is in the format that was asked, of the size
 * that was told, and can be read again; asked once more, all this holds too; and nothing stays
 * behind in memory.  Pictures as small as these are not kept for the second job (kept.c).
 *
 * The decoders themselves are Debian's, without libFuzzer's coverage: what it learns from
 * is what our own code does with a file.
 */
#include "base/check.h"
#include "base/file.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Small, so that an input takes milliseconds. */
static const struct image_limits limits = {
	.max_pixels = 128 * 128,
	.max_animation_pixels = 8 * 128 * 128,
	.max_frames = 32,
	.max_output_bytes = 256 << 10,
};

struct wish {
	struct recipe recipe;
	struct overlays overlays;
	enum media format;
};

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	struct failure why = { 0 };

	(void)count;
	CHECK(image_init((*arguments)[0], &why) && image_warm_up(&why));
	return 0;
}

static bool
parse_wish(struct span line, struct wish *wish)
{
	struct span recipe = span_cut(&line, ' '), overlays = span_cut(&line, ' ');
	struct failure why = { 0 };

	if (line.at == NULL || !overlays_parse(overlays, &wish->overlays) ||
	    !recipe_parse(recipe, NULL, &wish->recipe, &why) || wish->recipe.is_original)
		return false;
	recipe_resolve_focus(&wish->recipe, false, 0, 0);
	wish->format = media_of_extension(line);
	return wish->format != MEDIA_NONE && media_is_writable(wish->format);
}

static int
make_file(struct span content)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	CHECK(fd != -1 && file_write_all(fd, content.at, content.length));
	return fd;
}

/* What a client, the file, or a limit is to blame for; and a watermark, which is the operator's,
 * although here it is the file again. */
static void
check_failure(const struct failure *why)
{
	bool is_theirs = why->kind == FAIL_BAD_REQUEST || why->kind == FAIL_UNSUPPORTED ||
	    why->kind == FAIL_UNPROCESSABLE || span_starts_with(span_of(why->detail), "the watermark");

	if (!is_theirs)
		fprintf(stderr, "%s: %s\n", failure_kind_name(why->kind), why->detail);
	CHECK(is_theirs && why->detail[0] != '\0');
}

static void
check_portrait(const struct image_portrait *portrait)
{
	CHECK(portrait->palette_count >= 1 && portrait->palette_count <= PORTRAIT_PALETTE_MAX);
	CHECK(portrait->blurhash[0] != '\0' && portrait->thumbhash[0] != '\0' && portrait->placeholder[0] != '\0');
}

static void
check_description(int input)
{
	struct image_description description;
	struct image_portrait portrait;
	struct failure why = { 0 };

	if (!image_describe(input, &limits, &description, &portrait, &why)) {
		check_failure(&why);
		return;
	}
	CHECK(description.width >= 1 && description.height >= 1 && description.frames >= 1);
	CHECK((uint64_t)description.width * description.height <= limits.max_pixels);
	CHECK(description.orientation >= 1 && description.orientation <= 8);
	check_portrait(&portrait);
}

static void
check_result(int output, const struct image_outcome *outcome, enum media format)
{
	struct image_limits any = { 1 << 30, 1 << 30, 1 << 20, 1 << 30 };
	struct image_description description;
	struct failure why = { 0 };
	struct stat status;

	CHECK(fstat(output, &status) == 0 && (uint64_t)status.st_size == outcome->bytes);
	CHECK(outcome->bytes <= limits.max_output_bytes);
	CHECK((uint64_t)outcome->width * outcome->height <= limits.max_pixels);
	CHECK(image_describe(output, &any, &description, NULL, &why));
	CHECK(description.media == format);
	CHECK(description.width == outcome->width && description.height == outcome->height);
	CHECK(description.frames <= outcome->frames && description.orientation == 1);
}

static void
render(const struct wish *wish, int input, struct image_kept *kept)
{
	int output = memfd_create("output", MFD_CLOEXEC), mark = wish->overlays.mark.is_set ? dup(input) : -1;
	struct image_work work = {
		.input = input,
		.output = output,
		.mark = mark,
		.recipe = &wish->recipe,
		.overlays = &wish->overlays,
		.format = wish->format,
		.limits = limits,
		.kept = kept,
	};
	struct image_outcome outcome;
	struct failure why = { 0 };

	CHECK(output != -1);
	if (image_render(&work, &outcome, &why))
		check_result(output, &outcome, wish->format);
	else
		check_failure(&why);
	close(output);
	if (mark != -1)
		close(mark);
}

/* Room for one picture, the same for all inputs. */
static int
pixels(void)
{
	static int memory = -1;

	if (memory == -1) {
		memory = memfd_create("pixels", MFD_CLOEXEC);
		CHECK(memory != -1 && ftruncate(memory, SLOT_INDEX_BYTES + SLOT_BYTES) == 0);
	}
	return memory;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span file = span_range((const char *)bytes, size), line = span_cut(&file, '\n');
	static struct wish wish;
	struct image_kept *kept;
	int input;

	if (file.at == NULL || !parse_wish(line, &wish))
		return 0;
	input = make_file(file);
	check_description(input);
	kept = image_kept_open(pixels());
	CHECK(kept != NULL);
	render(&wish, input, kept);
	render(&wish, input, kept);
	CHECK(image_kept_forget(kept, 0));
	image_kept_close(kept);
	image_check_memory();
	close(input);
	return 0;
}
