/*
 * in_process - the limit for misses: libvips in one process, without any server.
 *
 *	in_process ours|plain
 *
 * Reads a line for each job, "RECIPE FORMAT PATH" as "w=400,q=80 webp /photos/a.jpg", and answers
 * each with "WALL_US CPU_US BYTES".
 *
 * ours: lib/image, so exactly what a renderer does.  plain: vips_thumbnail() and the saver at the
 * same effort, as anybody would write it; it knows w and q only.  It shows that the first is
 * no weaker limit than the second.
 */
#include "base/check.h"
#include "base/deadline.h"
#include "image/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vips/vips.h>

enum { LINE_MAX_BYTES = 4096, WEBP_EFFORT = 4 };

/* The defaults of [render]. */
static const struct image_limits limits = {
	.max_pixels = 150 * 1000 * 1000,
	.max_animation_pixels = 50 * 1000 * 1000,
	.max_frames = 1000,
	.max_output_bytes = 64 << 20,
};

struct work {
	struct recipe recipe;
	enum media format;
	char path[LINE_MAX_BYTES];
	int output;
};

static int64_t
cpu_us(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool
make_ours(const struct work *work, struct failure *why)
{
	static const struct overlays none;
	const struct image_work image = {
		.input = open(work->path, O_RDONLY | O_CLOEXEC),
		.output = work->output,
		.mark = -1,
		.recipe = &work->recipe,
		.overlays = &none,
		.format = work->format,
		.limits = limits,
	};
	struct image_outcome outcome;
	bool is_made;

	if (image.input == -1)
		return fail(why, FAIL_NOT_FOUND, "cannot open %s", work->path);
	is_made = image_render(&image, &outcome, why);
	close(image.input);
	return is_made;
}

static int
save(VipsImage *image, const struct work *work, VipsTarget *target)
{
	int quality = (int)work->recipe.quality;

	if (work->format == MEDIA_WEBP)
		return vips_webpsave_target(image, target, "Q", quality, "effort", WEBP_EFFORT, "strip", TRUE, NULL);
	return vips_jpegsave_target(image, target, "Q", quality, "interlace", TRUE, "optimize_coding", TRUE,
	    "strip", TRUE, NULL);
}

static bool
make_plain(const struct work *work, struct failure *why)
{
	VipsTarget *target = vips_target_new_to_descriptor(work->output);
	VipsImage *image = NULL;
	bool is_made;

	/* Without a height it would fit into a square. */
	is_made = target != NULL &&
	    vips_thumbnail(work->path, &image, (int)work->recipe.width, "height", VIPS_MAX_COORD, "size",
		VIPS_SIZE_DOWN, NULL) == 0 &&
	    save(image, work, target) == 0;
	if (image != NULL)
		g_object_unref(image);
	if (target != NULL)
		g_object_unref(target);
	return is_made || fail(why, FAIL_INTERNAL, "%.200s", vips_error_buffer());
}

static bool
read_work(struct span line, struct work *work, struct failure *why)
{
	struct span recipe = span_cut(&line, ' '), format = span_cut(&line, ' ');

	if (line.at == NULL || line.length >= sizeof(work->path))
		return fail(why, FAIL_BAD_REQUEST, "a line is RECIPE FORMAT PATH");
	work->format = media_of_extension(format);
	if (!media_is_writable(work->format))
		return fail(why, FAIL_BAD_REQUEST, "%.*s cannot be written", SPAN_ARGS(format));
	memcpy(work->path, line.at, line.length);
	work->path[line.length] = '\0';
	if (!recipe_parse(recipe, NULL, &work->recipe, why))
		return false;
	recipe_resolve_focus(&work->recipe, false, 0, 0);
	return true;
}

static bool
answer(struct span line, bool is_plain, struct failure *why)
{
	static struct work work;
	int64_t started_us, cpu_before_us;
	struct stat made;
	bool is_made;

	if (!read_work(line, &work, why))
		return false;
	work.output = memfd_create("result", MFD_CLOEXEC);
	CHECK(work.output != -1);
	started_us = monotonic_us();
	cpu_before_us = cpu_us();
	is_made = is_plain ? make_plain(&work, why) : make_ours(&work, why);
	if (is_made) {
		CHECK(fstat(work.output, &made) == 0);
		printf("%lld %lld %lld\n", (long long)(monotonic_us() - started_us),
		    (long long)(cpu_us() - cpu_before_us), (long long)made.st_size);
		fflush(stdout);
	}
	close(work.output);
	return is_made;
}

int
main(int count, char **arguments)
{
	bool is_plain = count == 2 && strcmp(arguments[1], "plain") == 0;
	struct failure why = { 0 };
	char line[LINE_MAX_BYTES];

	if (count != 2 || (!is_plain && strcmp(arguments[1], "ours") != 0)) {
		fprintf(stderr, "usage: in_process ours|plain\n");
		return 2;
	}
	if (image_init(arguments[0], &why)) {
		/* Loaders that open a file by its name, as vips_thumbnail() does, are of other classes' names
		 * but below the ones that image_init() allows, so both ways have the same decoders. */
		while (fgets(line, sizeof(line), stdin) != NULL) {
			line[strcspn(line, "\n")] = '\0';
			if (!answer(span_of(line), is_plain, &why))
				break;
		}
		image_shutdown();
	}
	if (why.kind != FAIL_NONE)
		fprintf(stderr, "in_process: %s\n", why.detail);
	return why.kind == FAIL_NONE ? 0 : 1;
}
