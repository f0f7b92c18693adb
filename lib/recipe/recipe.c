#include "recipe/recipe.h"

#include "base/check.h"
#include "http/quote.h"
#include "http/url.h"
#include "recipe/argument.h"
#include "recipe/operation.h"

#include <math.h>
#include <string.h>

void
recipe_init(struct recipe *recipe)
{
	memset(recipe, 0, sizeof(*recipe));
	for (unsigned i = 0; i < operation_count; i++)
		argument_set_initial(&operations[i], recipe);
}

/* One text, of the URL or of a preset, while it is read.  The same operation
 * twice is a mistake within one text and an override between two. */
struct reading {
	const struct preset_set *presets;
	unsigned depth;		/* 0: the URL, 1: a preset it names, ... */
	uint64_t written;	/* operations seen in this text */
	unsigned preset_count;	/* presets named in this text */
	bool is_used[PRESET_MAX];
};

static bool parse_text(struct span text, struct reading *reading, struct recipe *recipe,
    struct failure *why);

static bool
parse_preset(struct span name, struct reading *reading, struct recipe *recipe, struct failure *why)
{
	struct reading inner = { .presets = reading->presets, .depth = reading->depth + 1 };
	const struct preset *preset = reading->presets == NULL ? NULL : preset_find(reading->presets, name);

	if (preset == NULL)
		return fail(why, FAIL_BAD_REQUEST, "unknown preset '@%s'", quote_of(name).text);
	if (reading->written != 0)
		return fail(why, FAIL_BAD_REQUEST, "preset @%s must stand before the operations", preset->name);
	if (reading->is_used[preset - reading->presets->presets])
		return fail(why, FAIL_BAD_REQUEST, "preset @%s is given twice", preset->name);
	reading->is_used[preset - reading->presets->presets] = true;
	reading->preset_count++;
	if (inner.depth > PRESET_DEPTH_MAX)
		return fail(why, FAIL_BAD_REQUEST, "presets are nested deeper than %d", PRESET_DEPTH_MAX);
	return parse_text(span_of(preset->text), &inner, recipe, why);
}

static bool
parse_operation(struct span name, struct span argument, struct reading *reading, struct recipe *recipe,
    struct failure *why)
{
	int index = operation_find(name);
	uint64_t bit;

	if (index == -1)
		return fail(why, FAIL_BAD_REQUEST, "unknown operation '%s'", quote_of(name).text);
	bit = UINT64_C(1) << index;
	if ((reading->written & bit) != 0)
		return fail(why, FAIL_BAD_REQUEST, "%s is given twice", operations[index].name);
	reading->written |= bit;
	if (argument.at == NULL)
		return fail(why, FAIL_BAD_REQUEST, "%s has no value, expected %s", operations[index].name,
		    operations[index].argument);
	return operations[index].parse(&operations[index], argument, recipe, why);
}

static bool
parse_decoded(struct span name, struct span argument, bool is_alone, struct reading *reading,
    struct recipe *recipe, struct failure *why)
{
	if (argument.at == NULL && (span_equals(name, "original") || span_equals(name, "-"))) {
		recipe->is_original = !span_equals(name, "-");
		return is_alone || fail(why, FAIL_BAD_REQUEST, "'%s' must stand alone", quote_of(name).text);
	}
	if (!span_starts_with(name, "@"))
		return parse_operation(name, argument, reading, recipe, why);
	if (argument.at != NULL)
		return fail(why, FAIL_BAD_REQUEST, "preset '%s' takes no value", quote_of(name).text);
	return parse_preset(span_range(name.at + 1, name.length - 1), reading, recipe, why);
}

/* One of the parts between commas.  When it is cut at its "=" too, what is encoded
 * means itself. */
static bool
parse_part(struct span part, bool is_alone, struct reading *reading, struct recipe *recipe, struct failure *why)
{
	char decoded_name[RECIPE_TEXT_MAX], decoded_argument[RECIPE_TEXT_MAX];
	struct span argument = part, name = span_cut(&argument, '=');

	if (part.length == 0)
		return fail(why, FAIL_BAD_REQUEST, "a comma without an operation beside it");
	CHECK(part.length <= RECIPE_TEXT_MAX);
	if (!url_decode(name, decoded_name, &name.length) ||
	    !url_decode(argument, decoded_argument, &argument.length))
		return fail(why, FAIL_BAD_REQUEST, "malformed percent sequence in '%s'", quote_of(part).text);
	name.at = decoded_name;
	if (argument.at != NULL)
		argument.at = decoded_argument;
	return parse_decoded(name, argument, is_alone, reading, recipe, why);
}

static void
overrule_sides(uint64_t written, struct recipe *recipe)
{
	const uint64_t width = operation_bit("w"), height = operation_bit("h"), ratio = operation_bit("ar");

	written &= width | height | ratio;
	if (written == (width | height)) {
		recipe->ratio.width = recipe->ratio.height = 0;
	} else if (written == (width | ratio)) {
		recipe->height = 0;
		recipe->height_fraction = 0;
	} else if (written == (height | ratio)) {
		recipe->width = 0;
		recipe->width_fraction = 0;
	}
}

static void
overrule_quality(uint64_t written, struct recipe *recipe)
{
	bool asks_lossless = (written & operation_bit("lossless")) != 0 && recipe->is_lossless;
	bool asks_lossy = (written & (operation_bit("q") | operation_bit("max-bytes"))) != 0;

	if (asks_lossless && !asks_lossy) {
		recipe->quality_choice = QUALITY_DEFAULT;
		recipe->quality = 0;
		recipe->max_bytes = 0;
	} else if (asks_lossy && !asks_lossless) {
		recipe->is_lossless = false;
	}
}

static bool
parse_text(struct span text, struct reading *reading, struct recipe *recipe, struct failure *why)
{
	struct span rest = text;

	if (text.length == 0)
		return fail(why, FAIL_BAD_REQUEST, "the recipe is empty; one that asks nothing is written -");
	if (text.length > RECIPE_TEXT_MAX)
		return fail(why, FAIL_BAD_REQUEST, "the recipe has %zu bytes, limit %d", text.length,
		    RECIPE_TEXT_MAX);
	while (rest.at != NULL) {
		struct span part = span_cut(&rest, ',');

		if (!parse_part(part, part.length == text.length, reading, recipe, why))
			return false;
	}
	/* What this text asks takes the place of what a preset asked and cannot be had
	 * together with it.  Where it leaves open which that is, agrees_with_itself() says so. */
	overrule_sides(reading->written, recipe);
	overrule_quality(reading->written, recipe);
	recipe->asked |= reading->written;
	return true;
}

/* What the configuration wants of every recipe.  The URL is judged, by policy and by
 * its own rules, as if this were not there. */
static bool
parse_default(const struct preset_set *presets, struct recipe *recipe, struct failure *why)
{
	struct reading reading = { .presets = presets };

	if (presets == NULL || presets->default_name == NULL)
		return true;
	if (!parse_preset(span_of(presets->default_name), &reading, recipe, why))
		return false;
	recipe->asked = 0;
	return true;
}

static bool
agrees_with_itself(const struct recipe *recipe, struct failure *why)
{
	bool has_width = recipe->width != 0 || recipe->width_fraction != 0;
	bool has_height = recipe->height != 0 || recipe->height_fraction != 0;

	if (recipe->ratio.width != 0 && has_width && has_height)
		return fail(why, FAIL_BAD_REQUEST, "ar cannot be had with both w and h");
	if (recipe->is_lossless && recipe->quality_choice != QUALITY_DEFAULT)
		return fail(why, FAIL_BAD_REQUEST, "lossless cannot be had with q");
	if (recipe->is_lossless && recipe->max_bytes != 0)
		return fail(why, FAIL_BAD_REQUEST, "lossless cannot be had with max-bytes");
	return true;
}

bool
recipe_parse(struct span text, const struct preset_set *presets, struct recipe *recipe,
    struct failure *why)
{
	struct reading reading = { .presets = presets };

	recipe_init(recipe);
	if (!span_equals(text, "original") && !parse_default(presets, recipe, why))
		return false;
	if (!parse_text(text, &reading, recipe, why) || !agrees_with_itself(recipe, why))
		return false;
	recipe->asked_freely = reading.written;
	recipe->presets = reading.preset_count;
	return true;
}

/* Whether an encoded comma stands before an operation: one that belongs to a text
 * has no plain "=" behind it, because clients that encode texts encode that too. */
static bool
has_encoded_cut(struct span segment)
{
	for (size_t i = 0; i + 3 <= segment.length; i++) {
		struct span rest = span_range(segment.at + i, segment.length - i), name;

		if (!span_starts_with(rest, "%2C") && !span_starts_with(rest, "%2c"))
			continue;
		rest = span_range(rest.at + 3, rest.length - 3);
		name = span_cut(&rest, '=');
		if (rest.at != NULL && operation_find(name) != -1)
			return true;
	}
	return false;
}

static bool
was_encoded_as_a_whole(struct span segment)
{
	if (segment.length == 0 || memchr(segment.at, '=', segment.length) == NULL)
		return true;
	return memchr(segment.at, ',', segment.length) == NULL && has_encoded_cut(segment);
}

bool
recipe_decode_segment(struct span segment, struct arena *arena, struct span *text, struct failure *why)
{
	if (was_encoded_as_a_whole(segment))
		return url_decode_segment(segment, arena, text, why);
	*text = segment;
	return true;
}

/* "name=argument" for each of the operations whose argument is not the default. */
static void
print_operations(const struct recipe *recipe, uint64_t wanted, struct text *out)
{
	size_t start = out->length;
	struct text argument;

	text_init(&argument, out->arena, RECIPE_TEXT_MAX);
	for (unsigned i = 0; i < operation_count; i++) {
		if ((wanted & UINT64_C(1) << i) == 0)
			continue;
		text_clear(&argument);
		operations[i].print(&operations[i], recipe, &argument);
		if (argument.length == 0)
			continue;
		if (out->length > start)
			text_add_char(out, ',');
		text_add(out, operations[i].name);
		text_add_char(out, '=');
		text_add_bytes(out, argument.at, argument.length);
	}
}

void
recipe_print(const struct recipe *recipe, struct text *out)
{
	size_t start = out->length;

	if (recipe->is_original) {
		text_add(out, "original");
		return;
	}
	print_operations(recipe, UINT64_MAX, out);
	if (out->length == start)
		text_add_char(out, '-');
}

/* As many decimals as the canonical text keeps, so that the responder reckons
 * with the same point as the renderer. */
static double
to_six_decimals(double fraction)
{
	return round(fmin(fmax(fraction, 0), 1) * 1000000) / 1000000;
}

void
recipe_resolve_focus(struct recipe *recipe, bool has_focus, double x, double y)
{
	if (recipe->gravity != GRAVITY_FOCUS)
		return;
	if (!has_focus || recipe->fit == FIT_PAD) {
		recipe->gravity = GRAVITY_CENTRE;
		return;
	}
	recipe->gravity = GRAVITY_POINT;
	recipe->gravity_x = to_six_decimals(x);
	recipe->gravity_y = to_six_decimals(y);
}

bool
recipe_suits_format(const struct recipe *recipe, enum media format, struct failure *why)
{
	bool is_jpeg = format == MEDIA_JPEG, is_png = format == MEDIA_PNG, is_gif = format == MEDIA_GIF;

	if (recipe->is_lossless && (is_jpeg || is_gif))
		return fail(why, FAIL_BAD_REQUEST, "lossless cannot be had in %s", media_extension(format));
	if (recipe->max_bytes != 0 && is_gif)
		return fail(why, FAIL_BAD_REQUEST, "max-bytes cannot be had in gif, which has no quality to lower");
	if (recipe->max_bytes != 0 && is_png && recipe->colours == 0)
		return fail(why, FAIL_BAD_REQUEST, "max-bytes cannot be had in png without palette");
	if (recipe->icc != ICC_SRGB && is_gif)
		return fail(why, FAIL_BAD_REQUEST, "icc=p3 and icc=keep cannot be had in gif, which holds no profile");
	return true;
}

bool
recipe_size_needs_pixels(const struct recipe *recipe)
{
	return recipe->trim.threshold != 0 || recipe->page > 1;
}

/* What decides only the size, or travels beside the picture. */
static uint64_t
invisible_operations(void)
{
	static const char *const names[] = {
		"w", "h", "ar", "mw", "mh", "dpr", "enlarge", "fit", "g", "strip", "dl",
	};
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		mask |= operation_bit(names[i]);
	return mask;
}

bool
recipe_looks_like(const struct recipe *one, const struct recipe *other)
{
	uint64_t visible = ~invisible_operations();
	struct arena *arena = arena_new();
	struct text first, second;
	bool is_alike;

	text_init(&first, arena, RECIPE_TEXT_MAX);
	text_init(&second, arena, RECIPE_TEXT_MAX);
	print_operations(one, visible, &first);
	print_operations(other, visible, &second);
	is_alike = one->is_original == other->is_original && span_equals(text_span(&first), second.at);
	arena_free(arena);
	return is_alike;
}

bool
recipe_keeps_frames(const struct recipe *recipe, unsigned frames, enum media format)
{
	return frames > 1 && recipe->page == 0 && recipe->animation == ANIMATION_ON &&
	    (format == MEDIA_GIF || format == MEDIA_WEBP);
}

/* ---- mezzanines ------------------------------------------------------------------------- */

/* Above, an encoder shows what a mezzanine has lost. */
enum { MEZZANINE_QUALITY_MAX = 90 };

/* What is small of the noise of a JPEG would become large. */
static bool
is_amplified(const struct recipe *recipe)
{
	return recipe->brightness > 0 || recipe->contrast > 0 || recipe->saturation > 0 || recipe->gamma != 1 ||
	    recipe->sharpen > 0 || recipe->unsharp.amount > 0;
}

/* Files that keep each level, where noise in even areas costs many bytes too. */
static bool
is_exact(const struct recipe *recipe, enum media format)
{
	return recipe->is_lossless || recipe->quality > MEZZANINE_QUALITY_MAX || recipe->colours > 0 ||
	    format == MEDIA_PNG || format == MEDIA_GIF;
}

/* The original's own pixels decide what is cut: on every server the same. */
static bool
looks_for_something(const struct recipe *recipe)
{
	return recipe->trim.threshold > 0 || recipe->gravity == GRAVITY_SMART || recipe->gravity == GRAVITY_ENTROPY;
}

bool
recipe_suits_mezzanine(const struct recipe *recipe, enum media format)
{
	return recipe->page == 0 && !is_amplified(recipe) && !is_exact(recipe, format) && !looks_for_something(recipe);
}
