#include "recipe/argument.h"

#include "base/check.h"
#include "http/quote.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void *
field_of(const struct operation *operation, struct recipe *recipe)
{
	return (char *)recipe + operation->field;
}

static const void *
const_field_of(const struct operation *operation, const struct recipe *recipe)
{
	return (const char *)recipe + operation->field;
}

bool
argument_refuse(const struct operation *operation, struct span argument, struct failure *why)
{
	return fail(why, FAIL_BAD_REQUEST, "%s must be %s, not '%s'", operation->name,
	    operation->argument, quote_of(argument).text);
}

void
argument_set_initial(const struct operation *operation, struct recipe *recipe)
{
	/* Every other kind's default is all zero, as recipe_init() left it. */
	if (operation->parse == argument_parse_number)
		*(unsigned *)field_of(operation, recipe) = (unsigned)operation->initial;
	else if (operation->parse == argument_parse_decimal)
		*(double *)field_of(operation, recipe) = operation->initial;
}

/* ---- number --------------------------------------------------------------------- */

bool
argument_parse_number(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	uint64_t value;

	if (!span_to_u64(argument, (uint64_t)operation->min, (uint64_t)operation->max, &value))
		return argument_refuse(operation, argument, why);
	*(unsigned *)field_of(operation, recipe) = (unsigned)value;
	return true;
}

void
argument_print_number(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	unsigned value = *(const unsigned *)const_field_of(operation, recipe);

	if (value != (unsigned)operation->initial)
		text_printf(out, "%u", value);
}

/* ---- integer -------------------------------------------------------------------- */

bool
argument_parse_integer(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	int64_t value;

	if (!span_to_i64(argument, (int64_t)operation->min, (int64_t)operation->max, &value))
		return argument_refuse(operation, argument, why);
	*(int *)field_of(operation, recipe) = (int)value;
	return true;
}

void
argument_print_integer(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	int value = *(const int *)const_field_of(operation, recipe);

	if (value != 0)
		text_printf(out, "%d", value);
}

/* ---- bytes ---------------------------------------------------------------------- */

bool
argument_parse_bytes(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	uint64_t *field = field_of(operation, recipe);

	return span_to_u64(argument, (uint64_t)operation->min, (uint64_t)operation->max, field) ||
	    argument_refuse(operation, argument, why);
}

void
argument_print_bytes(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	uint64_t value = *(const uint64_t *)const_field_of(operation, recipe);

	if (value != 0)
		text_printf(out, "%" PRIu64, value);
}

/* ---- decimal -------------------------------------------------------------------- */

bool
argument_to_decimal(struct span text, double min, double max, unsigned decimals, double *value)
{
	struct span after_point = text;

	span_cut(&after_point, '.');
	/* More digits than text_add_double() prints would not survive the canonical text. */
	CHECK(decimals <= 6);
	return after_point.length <= decimals && span_to_double(text, min, max, value);
}

bool
argument_has_point(struct span text)
{
	span_cut(&text, '.');
	return text.at != NULL;
}

void
argument_add_fraction(double fraction, struct text *out)
{
	text_add_double(out, fraction);
	if (fraction == trunc(fraction))
		text_add(out, ".0");
}

bool
argument_parse_decimal(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	double *field = field_of(operation, recipe);

	if (!argument_to_decimal(argument, operation->min, operation->max, operation->decimals, field))
		return argument_refuse(operation, argument, why);
	return true;
}

void
argument_print_decimal(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	double value = *(const double *)const_field_of(operation, recipe);

	if (value != operation->initial)
		text_add_double(out, value);
}

/* ---- word ----------------------------------------------------------------------- */

bool
argument_to_word(const struct operation *operation, struct span text, unsigned *value)
{
	for (unsigned i = 0; i < operation->word_count; i++) {
		if (operation->words[i] != NULL && span_equals(text, operation->words[i])) {
			*value = i;
			return true;
		}
	}
	return false;
}

bool
argument_parse_word(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	return argument_to_word(operation, argument, field_of(operation, recipe)) ||
	    argument_refuse(operation, argument, why);
}

void
argument_print_word(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	unsigned value = *(const unsigned *)const_field_of(operation, recipe);

	if (value == 0)
		return;
	CHECK(value < operation->word_count && operation->words[value] != NULL);
	text_add(out, operation->words[value]);
}

/* ---- switch --------------------------------------------------------------------- */

bool
argument_parse_switch(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	bool is_on = span_equals(argument, "1");

	if (!is_on && !span_equals(argument, "0"))
		return argument_refuse(operation, argument, why);
	*(bool *)field_of(operation, recipe) = is_on;
	return true;
}

void
argument_print_switch(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	if (*(const bool *)const_field_of(operation, recipe))
		text_add_char(out, '1');
}

/* ---- colour --------------------------------------------------------------------- */

static bool
parse_hex_digits(struct span text, uint8_t digits[8])
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.length; i++) {
		const char *found = memchr(lower, text.at[i], 16);

		if (found != NULL) {
			digits[i] = (uint8_t)(found - lower);
			continue;
		}
		found = memchr(upper, text.at[i], 16);
		if (found == NULL)
			return false;
		digits[i] = (uint8_t)(found - upper);
	}
	return true;
}

/* rgb, rgba, rrggbb or rrggbbaa. */
static bool
parse_hex_colour(struct span text, struct recipe_colour *colour)
{
	uint8_t digits[8], bytes[4] = { 0, 0, 0, UINT8_MAX };
	bool is_short = text.length == 3 || text.length == 4;
	size_t digits_each = is_short ? 1 : 2;

	if (!is_short && text.length != 6 && text.length != 8)
		return false;
	if (!parse_hex_digits(text, digits))
		return false;
	for (size_t i = 0; i < text.length / digits_each; i++) {
		uint8_t high = digits[i * digits_each], low = digits[i * digits_each + digits_each - 1];

		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*colour = (struct recipe_colour){ bytes[0], bytes[1], bytes[2], bytes[3] };
	return true;
}

bool
argument_to_colour(struct span text, struct recipe_colour *colour)
{
	if (!span_equals(text, "transparent"))
		return parse_hex_colour(text, colour);
	*colour = (struct recipe_colour){ 0, 0, 0, 0 };
	return true;
}

void
argument_add_colour(struct recipe_colour colour, struct text *out)
{
	text_printf(out, "%02x%02x%02x", colour.red, colour.green, colour.blue);
	if (colour.alpha != UINT8_MAX)
		text_printf(out, "%02x", colour.alpha);
}

bool
argument_parse_colour(const struct operation *operation, struct span argument,
    struct recipe *recipe, struct failure *why)
{
	if (!argument_to_colour(argument, field_of(operation, recipe)))
		return argument_refuse(operation, argument, why);
	*(bool *)((char *)recipe + operation->second) = true;
	return true;
}

void
argument_print_colour(const struct operation *operation, const struct recipe *recipe,
    struct text *out)
{
	const struct recipe_colour *colour = const_field_of(operation, recipe);

	if (*(const bool *)((const char *)recipe + operation->second))
		argument_add_colour(*colour, out);
}
