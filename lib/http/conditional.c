#include "http/conditional.h"

#include "base/check.h"

#include <string.h>

struct entity_tag {
	bool is_weak;
	struct span opaque;	/* with its quotes */
};

/* Takes one entity-tag from the front (RFC 9110 section 8.8.3).  It may hold
 * commas, so a list cannot be cut at them first. */
static bool
take_tag(struct span *rest, struct entity_tag *tag)
{
	size_t start = 0, end;

	tag->is_weak = span_starts_with(*rest, "W/");
	if (tag->is_weak)
		start = 2;
	if (start >= rest->length || rest->at[start] != '"')
		return false;
	for (end = start + 1; end < rest->length && rest->at[end] != '"'; end++)
		if ((unsigned char)rest->at[end] <= ' ' || rest->at[end] == 0x7F)
			return false;
	if (end == rest->length)
		return false;
	tag->opaque = span_range(rest->at + start, end + 1 - start);
	*rest = span_range(rest->at + end + 1, rest->length - end - 1);
	return true;
}

/* Past the white space and commas before the next tag (empty list elements are
 * allowed, section 5.6.1.2), and whether there was a comma. */
static bool
skip_commas(struct span *rest)
{
	bool has_comma = false;

	while (rest->length > 0 && memchr(" \t,", rest->at[0], 3) != NULL) {
		has_comma = has_comma || rest->at[0] == ',';
		*rest = span_range(rest->at + 1, rest->length - 1);
	}
	return has_comma;
}

static bool
is_same(struct span one, struct span other)
{
	return one.length == other.length && memcmp(one.at, other.at, one.length) == 0;
}

static bool
list_names(struct span field, const char *etag, bool weak_ones_count)
{
	struct span rest = span_trim(field), own_text = span_of(etag);
	struct entity_tag own, tag;
	bool is_named = false;

	if (span_equals(rest, "*"))
		return true;
	CHECK(take_tag(&own_text, &own));
	skip_commas(&rest);
	while (rest.length > 0) {
		if (!take_tag(&rest, &tag))
			return false;
		if ((weak_ones_count || (!tag.is_weak && !own.is_weak)) && is_same(tag.opaque, own.opaque))
			is_named = true;
		if (!skip_commas(&rest) && rest.length > 0)
			return false;
	}
	return is_named;
}

bool
conditional_none_match_hits(struct span field, const char *etag)
{
	return list_names(field, etag, true);
}

bool
conditional_match_hits(struct span field, const char *etag)
{
	return list_names(field, etag, false);
}
