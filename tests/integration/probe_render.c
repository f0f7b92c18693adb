/*
 * Runs jobs on a real vitrine-renderer, through lib/render alone.
 *
 *	probe_render RENDERER COMMAND...	one command, then the end
 *	probe_render RENDERER			one command a line on standard input
 *
 *	render RECIPE FORMAT INPUT OUTPUT [MAX_PIXELS] [TIMEOUT_MS] [MAX_OUTPUT_BYTES] [NAME=VALUE...]
 *	describe - - INPUT - [MAX_PIXELS] [TIMEOUT_MS] [MAX_OUTPUT_BYTES] [NAME=VALUE...]
 *	    overlays=TEXT mark=PATH max-animation-pixels=N max-frames=N
 *	    mezzanine=PATH is used, leave=PATH is written
 *	    -> ok media=jpg width=.. height=.. frames=.. orientation=.. alpha=0|1 progressive=0|1
 *	       result_width=.. result_height=.. bytes=.. decode_us=.. total_us=.. mezzanine=none|used|follows|never kept=0|1
 *	       ms=.. left_ms=..
 *	    -> failed KIND ms=.. DETAIL
 *	renderer
 *	    -> renderer pid=.. started=.. signal=.. rss_kb=..
 *
 * RENDERER is an absolute path and may carry options for it after a space: "vitrine-renderer jobs=20
 * memory-mb=512 recycle-mb=64 sandbox=off".  A renderer that has gone is replaced at once;
 * `started` counts them, and signal= is what ended the last of them, or 0.  The output is made anew, and kept only on success.  Exit codes: 0, also when a job fails; 1 when no renderer starts; 2 usage.
 */
#include "base/deadline.h"
#include "render/render_client.h"
#include "render/renderer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	QUEUE = 8,
	DEFAULT_TIMEOUT_MS = 30000,
	GRACE_MS = 2000,	/* the deadline is this much later than the job's own timer */
	DEFAULT_MAX_PIXELS = 100 * 1000 * 1000,
	DEFAULT_MAX_FRAMES = 1000,
	DEFAULT_MAX_OUTPUT = 64 << 20
};

struct probe {
	struct renderer_config config;
	struct render_address address;
	int listener;
	int lifeline[2];
	int pixels;
	pid_t keeper;
	struct kept *kept;
};

/* Shared with the keeper, a child that starts one renderer after the other. */
struct kept {
	_Atomic pid_t renderer;
	_Atomic unsigned started;
	_Atomic int signal;
};

static _Noreturn void
give_up(const char *what, const struct failure *why)
{
	fprintf(stderr, "probe_render: %s: %s\n", what, why->detail);
	exit(1);
}

static uint64_t
number(struct span text, uint64_t fallback)
{
	uint64_t value = fallback;

	if (text.length > 0 && !span_to_u64(text, 0, UINT64_MAX, &value))
		exit(2);
	return value;
}

static struct span
next_word(struct span *rest)
{
	return rest->at == NULL ? *rest : span_cut(rest, ' ');
}

static const char *
next_string(struct span *rest, struct arena *arena)
{
	struct span word = next_word(rest);

	if (word.length == 0)
		exit(2);
	return arena_copy_bytes(arena, word.at, word.length);
}

static enum sandbox_wish
sandbox_wish(struct span name)
{
	for (unsigned i = 0; sandbox_wishes[i] != NULL; i++)
		if (span_equals(name, sandbox_wishes[i]))
			return (enum sandbox_wish)i;
	exit(2);
}

static void
configure(struct renderer_config *config, struct span rest, struct arena *arena)
{
	*config = (struct renderer_config){ .max_output_bytes = JOB_OUTPUT_BYTES_MAX };
	config->program = next_string(&rest, arena);
	while (rest.at != NULL) {
		struct span value = span_cut(&rest, ' '), name = span_cut(&value, '=');

		if (span_equals(name, "jobs"))
			config->jobs = (unsigned)number(value, 0);
		else if (span_equals(name, "memory-mb"))
			config->memory_mb = (unsigned)number(value, 0);
		else if (span_equals(name, "recycle-mb"))
			config->recycle_memory_mb = (unsigned)number(value, 0);
		else if (span_equals(name, "sandbox"))
			config->sandbox = sandbox_wish(value);
		else
			exit(2);
	}
}

static bool
lifeline_has_ended(int lifeline)
{
	struct pollfd end = { lifeline, 0, 0 };

	return poll(&end, 1, 0) == 1;
}

/* Until the lifeline ends: then the renderer must leave without an error. */
static _Noreturn void
keep_renderer(struct probe *probe)
{
	close(probe->lifeline[1]);
	for (;;) {
		struct failure why = { 0 };
		pid_t renderer = renderer_start(&probe->config, probe->listener, probe->lifeline[0], probe->pixels, &why);
		int status = 0;

		if (renderer == -1)
			give_up("no renderer", &why);
		probe->kept->renderer = renderer;
		probe->kept->started++;
		waitpid(renderer, &status, 0);
		probe->kept->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
			fprintf(stderr, "probe_render: the renderer left with %d\n", WEXITSTATUS(status));
			_exit(1);
		}
		if (lifeline_has_ended(probe->lifeline[0]))
			_exit(0);
	}
}

static void
start_keeper(struct probe *probe)
{
	probe->kept = mmap(NULL, sizeof(*probe->kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (probe->kept == MAP_FAILED || pipe2(probe->lifeline, O_CLOEXEC) == -1)
		exit(1);
	probe->keeper = fork();
	if (probe->keeper == -1)
		exit(1);
	if (probe->keeper == 0)
		keep_renderer(probe);
	while (probe->kept->started == 0 && waitpid(probe->keeper, NULL, WNOHANG) == 0)
		usleep(1000);
	if (probe->kept->started == 0)
		exit(1);
}

static void
report_portrait(const struct image_portrait *portrait)
{
	if (portrait->palette_count == 0)
		return;
	printf("dominant=%02x%02x%02x palette=", portrait->dominant[0], portrait->dominant[1], portrait->dominant[2]);
	for (unsigned i = 0; i < portrait->palette_count; i++)
		printf("%s%02x%02x%02x", i > 0 ? ":" : "", portrait->palette[i][0], portrait->palette[i][1],
		    portrait->palette[i][2]);
	printf(" blurhash=%s thumbhash=%s placeholder=%s ", portrait->blurhash, portrait->thumbhash,
	    portrait->placeholder);
}

static const char *const fates[MEZZANINE_FATE_COUNT] = { "none", "used", "follows", "never" };

static double
ms_since(int64_t started_us)
{
	return (double)(monotonic_us() - started_us) / 1000;
}

static void
report(bool is_done, const struct job_result *result, const struct failure *why, int64_t started_us)
{
	const struct image_outcome *outcome = &result->outcome;
	const struct image_description *source = &outcome->source;
	double ms = ms_since(started_us), left_ms = 0;

	if (!is_done) {
		printf("failed %s ms=%.1f %s\n", failure_kind_name(why->kind), ms, why->detail);
		return;
	}
	if (result->leaving != -1) {
		if (!render_wait_left(result->leaving, deadline_in_ms(DEFAULT_TIMEOUT_MS)))
			exit(1);
		left_ms = ms_since(started_us) - ms;
	}
	printf("ok ");
	report_portrait(&result->portrait);
	printf("media=%s width=%u height=%u frames=%u orientation=%u alpha=%d progressive=%d "
	    "result_width=%u result_height=%u result_frames=%u bytes=%llu decode_us=%u total_us=%u mezzanine=%s kept=%d "
	    "ms=%.1f left_ms=%.1f\n",
	    media_extension(source->media), source->width, source->height, source->frames,
	    source->orientation, source->has_alpha, source->is_progressive, outcome->width,
	    outcome->height, outcome->frames, (unsigned long long)outcome->bytes, outcome->decode_us,
	    outcome->total_us, fates[outcome->mezzanine], outcome->is_from_kept, ms, left_ms);
}

static int
open_or_exit(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd == -1) {
		fprintf(stderr, "probe_render: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	return fd;
}

/* One "name=value" after the numbers. */
static void
read_option(struct span value, struct arena *arena, struct job *job, struct job_files *files)
{
	struct span name = span_cut(&value, '=');

	if (span_equals(name, "overlays"))
		job->overlays = next_string(&value, arena);
	else if (span_equals(name, "mark"))
		files->mark = open_or_exit(next_string(&value, arena), O_RDONLY);
	else if (span_equals(name, "mezzanine")) {
		job->mezzanine = MEZZANINE_USE;
		files->mezzanine = open_or_exit(next_string(&value, arena), O_RDONLY);
	} else if (span_equals(name, "leave")) {
		job->mezzanine = MEZZANINE_LEAVE;
		files->mezzanine = open_or_exit(next_string(&value, arena), O_RDWR | O_CREAT | O_TRUNC);
	} else if (span_equals(name, "max-animation-pixels"))
		job->limits.max_animation_pixels = number(value, 0);
	else if (span_equals(name, "max-frames"))
		job->limits.max_frames = (unsigned)number(value, 0);
	else
		exit(2);
}

static void
run_job(struct probe *probe, enum job_operation operation, struct span rest, struct arena *arena)
{
	struct job job = {
		.operation = operation,
		.overlays = "-",
		.limits = { .max_animation_pixels = DEFAULT_MAX_PIXELS, .max_frames = DEFAULT_MAX_FRAMES },
	};
	struct job_result result = { 0 };
	struct failure why = { 0 };
	const char *input_path, *output_path;
	struct job_files files = { -1, -1, -1, -1 };
	int64_t started_us;
	bool is_done;

	job.recipe = next_string(&rest, arena);
	job.format = media_of_extension(span_of(next_string(&rest, arena)));
	input_path = next_string(&rest, arena);
	output_path = next_string(&rest, arena);
	job.limits.max_pixels = number(next_word(&rest), DEFAULT_MAX_PIXELS);
	job.timeout_ms = (unsigned)number(next_word(&rest), DEFAULT_TIMEOUT_MS);
	job.limits.max_output_bytes = number(next_word(&rest), DEFAULT_MAX_OUTPUT);
	while (rest.at != NULL)
		read_option(next_word(&rest), arena, &job, &files);
	files.input = open_or_exit(input_path, O_RDONLY);
	if (operation == JOB_RENDER)
		files.output = open_or_exit(output_path, O_RDWR | O_CREAT | O_TRUNC);
	started_us = monotonic_us();
	is_done = render_run(&probe->address, &job, &files,
	    deadline_in_ms((int64_t)job.timeout_ms + GRACE_MS), &result, &why);
	report(is_done, &result, &why, started_us);
	close(files.input);
	if (files.mark != -1)
		close(files.mark);
	if (files.mezzanine != -1)
		close(files.mezzanine);
	if (files.output != -1)
		close(files.output);
	if (!is_done && files.output != -1)
		unlink(output_path);
}

/* VmRSS of a process, in kB. */
static unsigned long
resident_kb(pid_t pid)
{
	char path[64], line[256];
	unsigned long kb = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "VmRSS: %lu", &kb) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return kb;
}

static void
obey(struct probe *probe, struct span line)
{
	struct arena *arena = arena_new();
	struct span verb = span_cut(&line, ' ');

	if (span_equals(verb, "render"))
		run_job(probe, JOB_RENDER, line, arena);
	else if (span_equals(verb, "describe"))
		run_job(probe, JOB_DESCRIBE, line, arena);
	else if (span_equals(verb, "renderer"))
		printf("renderer pid=%d started=%u signal=%d rss_kb=%lu\n", (int)probe->kept->renderer,
		    probe->kept->started, probe->kept->signal, resident_kb(probe->kept->renderer));
	else
		exit(2);
	fflush(stdout);
	arena_free(arena);
}

static void
obey_arguments(struct probe *probe, char **words, struct arena *arena)
{
	struct text line;

	text_init(&line, arena, 64 * 1024);
	for (; *words != NULL; words++)
		text_printf(&line, "%s%s", line.length > 0 ? " " : "", *words);
	obey(probe, text_span(&line));
}

static void
obey_standard_input(struct probe *probe)
{
	char line[8192];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct span rest = span_of(line);

		obey(probe, span_cut(&rest, '\n'));
	}
}

/* Its exit code is part of the test. */
static int
dismiss_keeper(struct probe *probe)
{
	int status = 0;

	close(probe->lifeline[1]);
	if (waitpid(probe->keeper, &status, 0) != probe->keeper)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int
main(int count, char **arguments)
{
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct probe probe = { 0 };
	int code;

	if (count < 2)
		return 2;
	configure(&probe.config, span_of(arguments[1]), arena);
	probe.listener = render_listen(QUEUE, &why);
	if (probe.listener == -1 || !render_address_of(probe.listener, &probe.address, &why))
		give_up("no socket", &why);
	probe.pixels = renderer_pixels(1, &why);
	if (probe.pixels == -1)
		give_up("no memory", &why);
	start_keeper(&probe);
	if (count > 2)
		obey_arguments(&probe, arguments + 2, arena);
	else
		obey_standard_input(&probe);
	code = dismiss_keeper(&probe);
	arena_free(arena);
	return code;
}
