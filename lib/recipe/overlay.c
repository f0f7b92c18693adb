#include "recipe/overlay.h"

#include "base/check.h"
#include "http/url.h"

#include <stddef.h>
#include <string.h>

enum { HEX_DIGITS_OF_COLOUR = 8 };

/* Indexed by enum recipe_gravity: all that an overlay can stand at. */
static const char *const position_words[] = {
	[GRAVITY_NORTH] = "n",
	[GRAVITY_NORTH_EAST] = "ne",
	[GRAVITY_EAST] = "e",
	[GRAVITY_SOUTH_EAST] = "se",
	[GRAVITY_SOUTH] = "s",
	[GRAVITY_SOUTH_WEST] = "sw",
	[GRAVITY_WEST] = "w",
	[GRAVITY_NORTH_WEST] = "nw",
	[GRAVITY_CENTRE] = "c",
};

/* ---- texts --------------------------------------------------------------------------- */

/* C1 (U+0080 to U+009F), and U+2028 and U+2029, which would begin a second line. */
static bool
starts_with_wide_control(const unsigned char *at, size_t left)
{
	return (left >= 2 && at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F) ||
	    (left >= 3 && at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9));
}

static bool
has_control(struct span text)
{
	const unsigned char *bytes = (const unsigned char *)text.at;

	for (size_t i = 0; i < text.length; i++)
		if (bytes[i] < ' ' || bytes[i] == 0x7F || starts_with_wide_control(bytes + i, text.length - i))
			return true;
	return false;
}

bool
caption_text_is_valid(struct span text, size_t max)
{
	return text.length > 0 && text.length <= max && span_is_utf8(text) && !has_control(text);
}

/* ---- the printed form ------------------------------------------------------------------
 *
 * Parts joined by ";", each a name and its values joined by ":", in the order of
 * the tables.  Encoded texts have neither character.
 *
 *	mark:se:0.02:0.2:0.5:0:200:100:1;text:%C2%A9%20A.%20Body:DejaVu%20Sans:0.03:...
 */

enum field_kind {
	FIELD_TEXT,
	FIELD_FRACTION,
	FIELD_PIXELS,
	FIELD_SWITCH,
	FIELD_POSITION,
	FIELD_COLOUR
};

struct field {
	enum field_kind kind;
	size_t offset;
	size_t max_length;	/* texts */
	double min, max;	/* fractions */
};

#define MARK(member) offsetof(struct mark, member)
#define CAPTION(member) offsetof(struct caption, member)

static const struct field mark_fields[] = {
	{ FIELD_POSITION, MARK(position), 0, 0, 0 },
	{ FIELD_FRACTION, MARK(margin), 0, 0, 0.5 },
	{ FIELD_FRACTION, MARK(scale), 0, 0.01, 1 },
	{ FIELD_FRACTION, MARK(opacity), 0, 0.01, 1 },
	{ FIELD_SWITCH, MARK(is_tiled), 0, 0, 0 },
	{ FIELD_PIXELS, MARK(min_width), 0, 0, 0 },
	{ FIELD_PIXELS, MARK(min_height), 0, 0, 0 },
	{ FIELD_SWITCH, MARK(is_imposed), 0, 0, 0 },
};

static const struct field caption_fields[] = {
	{ FIELD_TEXT, CAPTION(text), CAPTION_TEXT_MAX, 0, 0 },
	{ FIELD_TEXT, CAPTION(font), CAPTION_FONT_MAX, 0, 0 },
	{ FIELD_FRACTION, CAPTION(size), 0, 0.005, 0.5 },
	{ FIELD_POSITION, CAPTION(position), 0, 0, 0 },
	{ FIELD_FRACTION, CAPTION(margin), 0, 0, CAPTION_MARGIN_MAX },
	{ FIELD_COLOUR, CAPTION(colour), 0, 0, 0 },
	{ FIELD_COLOUR, CAPTION(shadow), 0, 0, 0 },
	{ FIELD_PIXELS, CAPTION(min_width), 0, 0, 0 },
	{ FIELD_PIXELS, CAPTION(min_height), 0, 0, 0 },
	{ FIELD_SWITCH, CAPTION(is_imposed), 0, 0, 0 },
};

/* What one part of the printed form is made of. */
struct kind_of_part {
	const char *name;
	const struct field *fields;
	size_t field_count;
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct kind_of_part mark_part = { "mark", mark_fields, COUNT_OF(mark_fields) };
static const struct kind_of_part caption_part = { "text", caption_fields, COUNT_OF(caption_fields) };

/* ---- printing ---------------------------------------------------------------------------- */

static void
print_position(enum recipe_gravity position, struct text *out)
{
	CHECK(position < COUNT_OF(position_words) && position_words[position] != NULL);
	text_add(out, position_words[position]);
}

static void
print_colour(const struct recipe_colour *colour, struct text *out)
{
	text_printf(out, "%02x%02x%02x%02x", colour->red, colour->green, colour->blue, colour->alpha);
}

static void
print_value(const struct field *field, const void *value, struct text *out)
{
	switch (field->kind) {
	case FIELD_TEXT:
		url_encode(span_of(value), "", out);
		break;
	case FIELD_FRACTION:
		text_add_double(out, *(const double *)value);
		break;
	case FIELD_PIXELS:
		text_printf(out, "%u", *(const unsigned *)value);
		break;
	case FIELD_SWITCH:
		text_add_char(out, *(const bool *)value ? '1' : '0');
		break;
	case FIELD_POSITION:
		print_position(*(const enum recipe_gravity *)value, out);
		break;
	case FIELD_COLOUR:
		print_colour(value, out);
		break;
	}
}

static void
print_part(const struct kind_of_part *kind, const void *part, struct text *out)
{
	text_add(out, kind->name);
	for (size_t i = 0; i < kind->field_count; i++) {
		text_add_char(out, ':');
		print_value(&kind->fields[i], (const char *)part + kind->fields[i].offset, out);
	}
}

void
overlays_print(const struct overlays *overlays, struct text *out)
{
	CHECK(overlays->caption_count <= CAPTION_COUNT_MAX);
	if (!overlays->mark.is_set && overlays->caption_count == 0)
		text_add_char(out, '-');
	if (overlays->mark.is_set)
		print_part(&mark_part, &overlays->mark, out);
	for (unsigned i = 0; i < overlays->caption_count; i++) {
		if (i > 0 || overlays->mark.is_set)
			text_add_char(out, ';');
		print_part(&caption_part, &overlays->captions[i], out);
	}
}

/* ---- parsing ----------------------------------------------------------------------------- */

static bool
parse_text(struct span encoded, size_t max_length, char *value)
{
	char decoded[3 * CAPTION_TEXT_MAX];
	size_t length;

	if (encoded.length > sizeof(decoded) || !url_decode(encoded, decoded, &length) ||
	    !caption_text_is_valid(span_range(decoded, length), max_length))
		return false;
	memcpy(value, decoded, length);
	value[length] = '\0';
	return true;
}

static bool
parse_pixels(struct span text, unsigned *value)
{
	uint64_t number;

	if (!span_to_u64(text, 0, RECIPE_RESULT_SIDE_MAX, &number))
		return false;
	*value = (unsigned)number;
	return true;
}

static bool
parse_position(struct span word, enum recipe_gravity *position)
{
	for (unsigned i = 0; i < COUNT_OF(position_words); i++) {
		if (position_words[i] != NULL && span_equals(word, position_words[i])) {
			*position = i;
			return true;
		}
	}
	return false;
}

static bool
parse_colour(struct span text, struct recipe_colour *colour)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t bits = 0;

	if (text.length != HEX_DIGITS_OF_COLOUR)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		const char *found = memchr(digits, text.at[i], 16);

		if (found == NULL)
			return false;
		bits = bits << 4 | (uint32_t)(found - digits);
	}
	*colour = (struct recipe_colour){ (uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
		(uint8_t)bits };
	return true;
}

static bool
parse_value(const struct field *field, struct span text, void *value)
{
	switch (field->kind) {
	case FIELD_TEXT:
		return parse_text(text, field->max_length, value);
	case FIELD_FRACTION:
		return span_to_double(text, field->min, field->max, value);
	case FIELD_PIXELS:
		return parse_pixels(text, value);
	case FIELD_SWITCH:
		*(bool *)value = span_equals(text, "1");
		return true;
	case FIELD_POSITION:
		return parse_position(text, value);
	case FIELD_COLOUR:
		return parse_colour(text, value);
	}
	return false;
}

static bool
parse_part(const struct kind_of_part *kind, struct span values, void *part)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		struct span value = span_cut(&values, ':');

		if (value.at == NULL || !parse_value(&kind->fields[i], value, (char *)part + kind->fields[i].offset))
			return false;
	}
	return true;
}

static bool
parse_parts(struct span text, struct overlays *overlays)
{
	while (text.at != NULL) {
		struct span values = span_cut(&text, ';');
		struct span name = span_cut(&values, ':');

		if (span_equals(name, mark_part.name)) {
			overlays->mark.is_set = true;
			if (!parse_part(&mark_part, values, &overlays->mark))
				return false;
		} else if (span_equals(name, caption_part.name) && overlays->caption_count < CAPTION_COUNT_MAX) {
			if (!parse_part(&caption_part, values, &overlays->captions[overlays->caption_count++]))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

/* The surest way to accept only what we print is to print it again: no second
 * spelling of a number or an escape, no other order, nothing twice, nothing after
 * the last value. */
static bool
is_printed_as(const struct overlays *overlays, struct span text)
{
	struct arena *arena = arena_new();
	struct text printed;
	bool is_same;

	text_init(&printed, arena, OVERLAYS_PRINTED_MAX);
	overlays_print(overlays, &printed);
	is_same = !printed.was_cut && span_equals(text, printed.at);
	arena_free(arena);
	return is_same;
}

bool
overlays_parse(struct span text, struct overlays *overlays)
{
	memset(overlays, 0, sizeof(*overlays));
	if (span_equals(text, "-"))
		return true;
	return text.length <= OVERLAYS_PRINTED_MAX && parse_parts(text, overlays) && is_printed_as(overlays, text);
}
