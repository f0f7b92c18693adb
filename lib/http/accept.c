#include "http/accept.h"

#include <string.h>

enum { WEIGHT_MAX = 1000 };

/* How closely a media range fits; the closest one that matches counts. */
enum closeness {
	NO_MATCH,
	ANY_TYPE,		/* any type */
	ANY_IMAGE,
	WITH_PARAMETERS,	/* the type, but of a kind we cannot promise */
	EXACT_TYPE
};

struct range {
	enum closeness closeness;
	unsigned weight;
};

/* Like span_cut(), but a separator within a quoted string (RFC 9110 section
 * 5.6.4) does not count. */
static struct span
cut_outside_quotes(struct span *rest, char separator)
{
	bool is_quoted = false;
	struct span part = *rest;

	for (size_t i = 0; i < part.length; i++) {
		if (part.at[i] == '"') {
			is_quoted = !is_quoted;
		} else if (is_quoted && part.at[i] == '\\') {
			i++;
		} else if (!is_quoted && part.at[i] == separator) {
			*rest = span_range(part.at + i + 1, part.length - i - 1);
			return span_range(part.at, i);
		}
	}
	*rest = (struct span){ NULL, 0 };
	return part;
}

/* "1", "0.75" with at most three decimals (RFC 9110 section 12.4.2), and ".2",
 * which Java's HttpURLConnection sends. */
static bool
parse_weight(struct span text, unsigned *weight)
{
	unsigned value = 0, place = WEIGHT_MAX;
	size_t i = 0;

	if (text.length > 0 && (text.at[0] == '0' || text.at[0] == '1')) {
		value = text.at[0] == '1' ? WEIGHT_MAX : 0;
		i++;
	}
	if (i < text.length && text.at[i] == '.')
		for (i++; i < text.length && text.at[i] >= '0' && text.at[i] <= '9' && place > 1; i++) {
			place /= 10;
			value += (unsigned)(text.at[i] - '0') * place;
		}
	if (text.length == 0 || i != text.length || span_equals(text, ".") || value > WEIGHT_MAX)
		return false;
	*weight = value;
	return true;
}

static enum closeness
closeness_of(struct span name, enum media media)
{
	if (span_equals(name, "*/*"))
		return ANY_TYPE;
	if (span_equals_ignoring_case(name, "image/*"))
		return ANY_IMAGE;
	return media != MEDIA_NONE && media_of_type(name) == media ? EXACT_TYPE : NO_MATCH;
}

/* "image/webp;q=0.8".  What is malformed matches nothing. */
static struct range
parse_range(struct span part, enum media media)
{
	struct range range = { NO_MATCH, WEIGHT_MAX };
	struct span name = span_trim(cut_outside_quotes(&part, ';'));

	range.closeness = closeness_of(name, media);
	while (part.at != NULL) {
		struct span value = span_trim(cut_outside_quotes(&part, ';'));
		struct span parameter = span_trim(span_cut(&value, '='));

		if (!span_equals_ignoring_case(parameter, "q")) {
			if (range.closeness == EXACT_TYPE && parameter.length > 0)
				range.closeness = WITH_PARAMETERS;
		} else if (!parse_weight(span_trim(value), &range.weight)) {
			return (struct range){ NO_MATCH, 0 };
		}
	}
	return range;
}

static unsigned
weight_of(struct span field, enum media media, enum closeness at_least)
{
	struct range best = { NO_MATCH, 0 };
	bool was_cut = field.length > ACCEPT_MAX;

	if (was_cut)
		field.length = ACCEPT_MAX;
	while (field.at != NULL) {
		struct range range = parse_range(cut_outside_quotes(&field, ','), media);

		if (field.at == NULL && was_cut)
			break;	/* half a part may say the opposite of the whole */
		if (range.closeness < at_least || range.closeness < best.closeness)
			continue;
		if (range.closeness > best.closeness || range.weight > best.weight)
			best = range;
	}
	return best.closeness == NO_MATCH ? 0 : best.weight;
}

unsigned
accept_weight(struct span field, enum media media)
{
	if (span_trim(field).length == 0)
		return WEIGHT_MAX;
	return weight_of(field, media, ANY_TYPE);
}

unsigned
accept_weight_named(struct span field, enum media media)
{
	return weight_of(field, media, WITH_PARAMETERS);
}
