#include "render/job.h"

#include "base/check.h"

#include <string.h>

/*
 * Both messages are lines in one fixed order, each exactly once, so there is
 * one text for each value and nothing to decide about repeats and omissions.
 */

static const char *const operation_names[] = {
	[JOB_DESCRIBE] = "describe",
	[JOB_RENDER] = "render",
};

/* "-" stands for MEDIA_NONE. */
static const char *
media_word(enum media media)
{
	return media == MEDIA_NONE ? "-" : media_extension(media);
}

static const char *const wish_words[MEZZANINE_WISH_COUNT] = {
	[MEZZANINE_WITHOUT] = "without",
	[MEZZANINE_USE] = "use",
	[MEZZANINE_LEAVE] = "leave",
};

static const char *const fate_words[MEZZANINE_FATE_COUNT] = {
	[MEZZANINE_NONE] = "none",
	[MEZZANINE_USED] = "used",
	[MEZZANINE_FOLLOWS] = "follows",
	[MEZZANINE_NEVER] = "never",
};

/* The texts of a portrait, in the order in which they stand in a result. */
static const char *const portrait_texts[] = { "blurhash", "thumbhash", "placeholder" };

enum { PORTRAIT_TEXTS = sizeof(portrait_texts) / sizeof(portrait_texts[0]) };

/* What is left of a message, and the first thing that was wrong with it. */
struct reader {
	struct span rest;
	struct failure *why;
};

static bool
malformed(struct reader *reader, const char *name)
{
	return fail(reader->why, FAIL_INTERNAL, "malformed message between responder and renderer: %s",
	    name);
}

/* The value of the next line, which must be called this. */
static bool
read_line(struct reader *reader, const char *name, struct span *value)
{
	size_t length = strlen(name);
	struct span line;

	if (reader->rest.at == NULL || memchr(reader->rest.at, '\n', reader->rest.length) == NULL)
		return malformed(reader, name);
	line = span_cut(&reader->rest, '\n');
	if (line.length <= length || !span_starts_with(line, name) || line.at[length] != ' ')
		return malformed(reader, name);
	*value = span_range(line.at + length + 1, line.length - length - 1);
	return true;
}

static bool
read_end(struct reader *reader)
{
	return reader->rest.length == 0 ? true : malformed(reader, "something after the end");
}

/* One text per number: "007" would not be printed, so it is not read. */
static bool
read_u64(struct reader *reader, const char *name, uint64_t min, uint64_t max, uint64_t *value)
{
	struct span text;

	if (!read_line(reader, name, &text))
		return false;
	if (!span_to_u64(text, min, max, value) || (text.length > 1 && text.at[0] == '0'))
		return malformed(reader, name);
	return true;
}

/* Both messages begin with "name version".  Another version is no malformed
 * message: during a reload both are about, and a second try may do. */
static bool
read_version(struct reader *reader, const char *name)
{
	uint64_t version;

	if (!read_u64(reader, name, 0, UINT32_MAX, &version))
		return false;
	if (version != JOB_VERSION)
		return fail(reader->why, FAIL_UNAVAILABLE,
		    "the other side speaks version %u of the job protocol, this one %u",
		    (unsigned)version, (unsigned)JOB_VERSION);
	return true;
}

static bool
read_unsigned(struct reader *reader, const char *name, unsigned min, unsigned max, unsigned *value)
{
	uint64_t number;

	if (!read_u64(reader, name, min, max, &number))
		return false;
	*value = (unsigned)number;
	return true;
}

static bool
read_flag(struct reader *reader, const char *name, bool *value)
{
	unsigned number;

	if (!read_unsigned(reader, name, 0, 1, &number))
		return false;
	*value = number == 1;
	return true;
}

static bool
read_media(struct reader *reader, const char *name, enum media *media)
{
	struct span text;

	if (!read_line(reader, name, &text))
		return false;
	for (enum media each = MEDIA_NONE; each < MEDIA_COUNT; each++)
		if (span_equals(text, media_word(each))) {
			*media = each;
			return true;
		}
	return malformed(reader, name);
}

/* The index of one of these words. */
static bool
read_word(struct reader *reader, const char *name, const char *const *words, unsigned count, unsigned *index)
{
	struct span text;

	if (!read_line(reader, name, &text))
		return false;
	for (*index = 0; *index < count; ++*index)
		if (span_equals(text, words[*index]))
			return true;
	return malformed(reader, name);
}

static bool
read_wish(struct reader *reader, enum mezzanine_wish *wish)
{
	unsigned index;

	if (!read_word(reader, "mezzanine", wish_words, MEZZANINE_WISH_COUNT, &index))
		return false;
	*wish = (enum mezzanine_wish)index;
	return true;
}

static bool
read_fate(struct reader *reader, enum mezzanine_fate *fate)
{
	unsigned index;

	if (!read_word(reader, "mezzanine", fate_words, MEZZANINE_FATE_COUNT, &index))
		return false;
	*fate = (enum mezzanine_fate)index;
	return true;
}

static bool
is_one_word(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return true;
}

/* ---- the job ---------------------------------------------------------------- */

void
job_print(const struct job *job, struct text *out)
{
	text_printf(out, "vitrine-job %u\n", (unsigned)JOB_VERSION);
	text_printf(out, "operation %s\n", operation_names[job->operation]);
	text_printf(out, "recipe %s\n", job->recipe);
	text_printf(out, "overlays %s\n", job->overlays);
	text_printf(out, "format %s\n", media_word(job->format));
	text_printf(out, "max-pixels %llu\n", (unsigned long long)job->limits.max_pixels);
	text_printf(out, "max-animation-pixels %llu\n", (unsigned long long)job->limits.max_animation_pixels);
	text_printf(out, "max-frames %u\n", job->limits.max_frames);
	text_printf(out, "max-output-bytes %llu\n", (unsigned long long)job->limits.max_output_bytes);
	text_printf(out, "timeout-ms %u\n", job->timeout_ms);
	text_printf(out, "deadline-us %lld\n", (long long)job->deadline.at_us);
	text_printf(out, "mezzanine %s\n", wish_words[job->mezzanine]);
}

static bool
read_operation(struct reader *reader, enum job_operation *operation)
{
	struct span text;

	if (!read_line(reader, "operation", &text))
		return false;
	if (span_equals(text, operation_names[JOB_DESCRIBE]))
		*operation = JOB_DESCRIBE;
	else if (span_equals(text, operation_names[JOB_RENDER]))
		*operation = JOB_RENDER;
	else
		return malformed(reader, "operation");
	return true;
}

unsigned
job_file_count(const struct job *job)
{
	struct overlays overlays;

	if (job->operation == JOB_DESCRIBE)
		return 1;
	return 2 + (overlays_parse(span_of(job->overlays), &overlays) && overlays.mark.is_set ? 1 : 0) +
	    (job->mezzanine != MEZZANINE_WITHOUT ? 1 : 0);
}

/* Only its letters are looked at here; recipe_parse() and overlays_parse() say
 * what they mean. */
static bool
read_text(struct reader *reader, const char *name, size_t max, struct arena *arena, const char **value)
{
	struct span text;

	if (!read_line(reader, name, &text))
		return false;
	if (text.length == 0 || text.length > max)
		return malformed(reader, name);
	if (!is_one_word(text))
		return malformed(reader, name);
	*value = arena_copy_bytes(arena, text.at, text.length);
	return true;
}

/* Describing has neither recipe nor format; rendering has a format to write. */
static bool
job_is_sensible(const struct job *job)
{
	if (job->operation == JOB_DESCRIBE)
		return job->format == MEDIA_NONE && strcmp(job->recipe, "-") == 0 &&
		    strcmp(job->overlays, "-") == 0 && job->mezzanine == MEZZANINE_WITHOUT;
	return job->format != MEDIA_NONE && media_is_writable(job->format);
}

static bool
read_deadline(struct reader *reader, struct deadline *deadline)
{
	uint64_t at_us;

	if (!read_u64(reader, "deadline-us", 0, INT64_MAX, &at_us))
		return false;
	deadline->at_us = (int64_t)at_us;
	return true;
}

bool
job_parse(struct span text, struct arena *arena, struct job *job, struct failure *why)
{
	struct reader reader = { text, why };
	struct job read = { 0 };

	if (!read_version(&reader, "vitrine-job") || !read_operation(&reader, &read.operation) ||
	    !read_text(&reader, "recipe", RECIPE_TEXT_MAX, arena, &read.recipe) ||
	    !read_text(&reader, "overlays", OVERLAYS_PRINTED_MAX, arena, &read.overlays) ||
	    !read_media(&reader, "format", &read.format) ||
	    !read_u64(&reader, "max-pixels", 1, JOB_PIXELS_MAX, &read.limits.max_pixels) ||
	    !read_u64(&reader, "max-animation-pixels", 1, JOB_PIXELS_MAX, &read.limits.max_animation_pixels) ||
	    !read_unsigned(&reader, "max-frames", 1, JOB_FRAMES_MAX, &read.limits.max_frames) ||
	    !read_u64(&reader, "max-output-bytes", 1, JOB_OUTPUT_BYTES_MAX,
	    &read.limits.max_output_bytes) ||
	    !read_unsigned(&reader, "timeout-ms", 1, JOB_TIMEOUT_MS_MAX, &read.timeout_ms) ||
	    !read_deadline(&reader, &read.deadline) || !read_wish(&reader, &read.mezzanine) ||
	    !read_end(&reader))
		return false;
	if (!job_is_sensible(&read))
		return malformed(&reader, "format and recipe do not fit the operation");
	*job = read;
	return true;
}

/* ---- the result -------------------------------------------------------------- */

/* The kinds that a renderer may answer with.  It parses hostile bytes, so it
 * is not believed when it says what only a responder can know: that somebody
 * is forbidden something, or that an asset is gone. */
static const enum failure_kind result_kinds[] = {
	FAIL_NONE, FAIL_BAD_REQUEST, FAIL_UNSUPPORTED, FAIL_UNPROCESSABLE, FAIL_UNAVAILABLE, FAIL_INTERNAL,
};

/* One line of UTF-8 without control characters, for the log and for clients. */
static bool
detail_is_clean(struct span detail)
{
	for (size_t i = 0; i < detail.length; i++)
		if ((unsigned char)detail.at[i] < ' ' || detail.at[i] == 127)
			return false;
	return span_is_utf8(detail);
}

/* What a decoder said of a hostile file becomes a clean line: "?" for what is
 * not printable ASCII, if anything is amiss. */
static void
add_detail(struct text *out, struct span detail)
{
	bool is_clean = detail_is_clean(detail);

	text_add(out, "detail ");
	for (size_t i = 0; i < detail.length; i++) {
		char c = detail.at[i];

		text_add_char(out, is_clean || (c >= ' ' && c <= '~') ? c : '?');
	}
	text_add_char(out, '\n');
}

static void
add_outcome(struct text *out, const struct image_outcome *outcome)
{
	const struct image_description *source = &outcome->source;

	text_printf(out, "source-media %s\n", media_word(source->media));
	text_printf(out, "source-width %u\n", source->width);
	text_printf(out, "source-height %u\n", source->height);
	text_printf(out, "source-frames %u\n", source->frames);
	text_printf(out, "source-orientation %u\n", source->orientation);
	text_printf(out, "source-alpha %u\n", source->has_alpha);
	text_printf(out, "source-progressive %u\n", source->is_progressive);
	text_printf(out, "width %u\n", outcome->width);
	text_printf(out, "height %u\n", outcome->height);
	text_printf(out, "frames %u\n", outcome->frames);
	text_printf(out, "bytes %llu\n", (unsigned long long)outcome->bytes);
	text_printf(out, "decode-us %u\n", outcome->decode_us);
	text_printf(out, "total-us %u\n", outcome->total_us);
	text_printf(out, "mezzanine %s\n", fate_words[outcome->mezzanine]);
	text_printf(out, "kept %u\n", outcome->is_from_kept);
}

static void
add_colour(struct text *out, const uint8_t colour[3])
{
	text_printf(out, " %02x%02x%02x", colour[0], colour[1], colour[2]);
}

/* "-" where there is none: after a rendering. */
static void
add_portrait(struct text *out, const struct image_portrait *portrait)
{
	const char *const texts[] = { portrait->blurhash, portrait->thumbhash, portrait->placeholder };

	text_add(out, "colours");
	if (portrait->palette_count == 0)
		text_add(out, " -");
	else
		add_colour(out, portrait->dominant);
	for (unsigned i = 0; i < portrait->palette_count; i++)
		add_colour(out, portrait->palette[i]);
	text_add_char(out, '\n');
	for (unsigned i = 0; i < PORTRAIT_TEXTS; i++)
		text_printf(out, "%s %s\n", portrait_texts[i], texts[i][0] != '\0' ? texts[i] : "-");
}

void
job_result_print(const struct job_result *result, struct text *out)
{
	text_printf(out, "vitrine-result %u\n", (unsigned)JOB_VERSION);
	text_printf(out, "failure %s\n", failure_kind_name(result->failure.kind));
	if (result->failure.kind == FAIL_NONE) {
		add_outcome(out, &result->outcome);
		add_portrait(out, &result->portrait);
	} else {
		add_detail(out, span_of(result->failure.detail));
	}
}

static bool
read_failure_kind(struct reader *reader, enum failure_kind *kind)
{
	struct span text;

	if (!read_line(reader, "failure", &text))
		return false;
	for (size_t i = 0; i < sizeof(result_kinds) / sizeof(result_kinds[0]); i++)
		if (span_equals(text, failure_kind_name(result_kinds[i]))) {
			*kind = result_kinds[i];
			return true;
		}
	return malformed(reader, "failure");
}

static bool
read_detail(struct reader *reader, char detail[FAILURE_DETAIL_MAX])
{
	struct span text;

	if (!read_line(reader, "detail", &text))
		return false;
	if (text.length >= FAILURE_DETAIL_MAX || !detail_is_clean(text))
		return malformed(reader, "detail");
	memcpy(detail, text.at, text.length);
	detail[text.length] = '\0';
	return true;
}

static bool
read_outcome(struct reader *reader, struct image_outcome *outcome)
{
	struct image_description *source = &outcome->source;

	return read_media(reader, "source-media", &source->media) &&
	    (source->media != MEDIA_NONE || malformed(reader, "source-media")) &&
	    read_unsigned(reader, "source-width", 1, JOB_SIDE_MAX, &source->width) &&
	    read_unsigned(reader, "source-height", 1, JOB_SIDE_MAX, &source->height) &&
	    read_unsigned(reader, "source-frames", 1, JOB_FRAMES_MAX, &source->frames) &&
	    read_unsigned(reader, "source-orientation", 1, 8, &source->orientation) &&
	    read_flag(reader, "source-alpha", &source->has_alpha) &&
	    read_flag(reader, "source-progressive", &source->is_progressive) &&
	    read_unsigned(reader, "width", 0, RECIPE_RESULT_SIDE_MAX, &outcome->width) &&
	    read_unsigned(reader, "height", 0, RECIPE_RESULT_SIDE_MAX, &outcome->height) &&
	    read_unsigned(reader, "frames", 0, JOB_FRAMES_MAX, &outcome->frames) &&
	    read_u64(reader, "bytes", 0, JOB_OUTPUT_BYTES_MAX, &outcome->bytes) &&
	    read_unsigned(reader, "decode-us", 0, UINT32_MAX, &outcome->decode_us) &&
	    read_unsigned(reader, "total-us", 0, UINT32_MAX, &outcome->total_us) &&
	    read_fate(reader, &outcome->mezzanine) && read_flag(reader, "kept", &outcome->is_from_kept);
}

static bool
parse_colour(struct span text, uint8_t colour[3])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < text.length; i++) {
		const char *digit = memchr(digits, text.at[i], sizeof(digits) - 1);

		if (digit == NULL || text.length != 6)
			return false;
		colour[i / 2] = (uint8_t)(colour[i / 2] << 4 | (digit - digits));
	}
	return text.length == 6;
}

/* The dominant colour, then the palette. */
static bool
read_colours(struct reader *reader, struct image_portrait *portrait)
{
	struct span text;

	if (!read_line(reader, "colours", &text))
		return false;
	if (!parse_colour(span_cut(&text, ' '), portrait->dominant) || text.at == NULL)
		return malformed(reader, "colours");
	while (text.at != NULL)
		if (portrait->palette_count == PORTRAIT_PALETTE_MAX ||
		    !parse_colour(span_cut(&text, ' '), portrait->palette[portrait->palette_count++]))
			return malformed(reader, "colours");
	return true;
}

static bool
read_portrait(struct reader *reader, struct image_portrait *portrait)
{
	const struct {
		char *at;
		size_t size;
	} texts[PORTRAIT_TEXTS] = {
		{ portrait->blurhash, sizeof(portrait->blurhash) },
		{ portrait->thumbhash, sizeof(portrait->thumbhash) },
		{ portrait->placeholder, sizeof(portrait->placeholder) },
	};

	if (!read_colours(reader, portrait))
		return false;
	for (unsigned i = 0; i < PORTRAIT_TEXTS; i++) {
		struct span text;

		if (!read_line(reader, portrait_texts[i], &text))
			return false;
		if (text.length == 0 || text.length >= texts[i].size || !is_one_word(text) || span_equals(text, "-"))
			return malformed(reader, portrait_texts[i]);
		memcpy(texts[i].at, text.at, text.length);
	}
	return true;
}

static bool
read_none(struct reader *reader, const char *name)
{
	struct span text;

	if (!read_line(reader, name, &text))
		return false;
	return span_equals(text, "-") || malformed(reader, name);
}

static bool
read_no_portrait(struct reader *reader)
{
	if (!read_none(reader, "colours"))
		return false;
	for (unsigned i = 0; i < PORTRAIT_TEXTS; i++)
		if (!read_none(reader, portrait_texts[i]))
			return false;
	return true;
}

bool
job_result_parse(struct span text, enum job_operation operation, struct job_result *result, struct failure *why)
{
	struct reader reader = { text, why };
	struct job_result read = { .leaving = -1 };

	if (!read_version(&reader, "vitrine-result") || !read_failure_kind(&reader, &read.failure.kind))
		return false;
	if (read.failure.kind == FAIL_NONE) {
		if (!read_outcome(&reader, &read.outcome))
			return false;
		if (operation == JOB_DESCRIBE &&
		    (read.outcome.mezzanine != MEZZANINE_NONE || read.outcome.is_from_kept))
			return malformed(&reader, "mezzanine");
		if (operation == JOB_DESCRIBE ? !read_portrait(&reader, &read.portrait) : !read_no_portrait(&reader))
			return false;
	} else if (!read_detail(&reader, read.failure.detail)) {
		return false;
	}
	if (!read_end(&reader))
		return false;
	*result = read;
	return true;
}
