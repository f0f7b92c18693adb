#include "http/url.h"

#include "http/quote.h"

#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%XX" at this place stands for, or -1. */
static int
escaped_byte(struct span text, size_t at)
{
	int high, low;

	if (text.length - at < 3)
		return -1;
	high = hex_value(text.at[at + 1]);
	low = hex_value(text.at[at + 2]);
	return high == -1 || low == -1 ? -1 : high * 16 + low;
}

static size_t
length_until_query(struct span target)
{
	size_t length = 0;

	while (length < target.length && target.at[length] != '?' && target.at[length] != '#')
		length++;
	return length;
}

bool
url_path(struct span request_target, struct span *path, struct failure *why)
{
	struct span raw = span_range(request_target.at, length_until_query(request_target));

	if (raw.length == 0 || raw.at[0] != '/')
		return fail(why, FAIL_BAD_REQUEST, "the path does not begin with /");
	if (raw.length > URL_PATH_MAX)
		return fail(why, FAIL_BAD_REQUEST, "the path has %zu bytes, limit %d", raw.length,
		    URL_PATH_MAX);
	for (size_t i = 0; i < raw.length; i++) {
		if (raw.at[i] <= ' ' || raw.at[i] > '~')
			return fail(why, FAIL_BAD_REQUEST, "byte %zu of the path is not printable ASCII", i);
		if (raw.at[i] == '%' && escaped_byte(raw, i) == -1)
			return fail(why, FAIL_BAD_REQUEST, "malformed percent sequence '%s'",
			    quote_of(span_range(raw.at + i, raw.length - i < 3 ? raw.length - i : 3)).text);
	}
	*path = raw;
	return true;
}

bool
url_decode(struct span encoded, char *out, size_t *length)
{
	size_t written = 0;

	for (size_t i = 0; i < encoded.length; i++) {
		int byte = (unsigned char)encoded.at[i];

		if (byte == '%') {
			byte = escaped_byte(encoded, i);
			if (byte == -1)
				return false;
			i += 2;
		}
		out[written++] = (char)byte;
	}
	*length = written;
	return true;
}

static bool
has_dangerous_byte(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < ' ' || c == 0x7F || c == '/' || c == '\\')
			return true;
	}
	return false;
}

bool
url_decode_segment(struct span segment, struct arena *arena, struct span *decoded, struct failure *why)
{
	char *bytes = arena_alloc(arena, segment.length + 1);
	struct span text = { bytes, 0 };

	if (!url_decode(segment, bytes, &text.length))
		return fail(why, FAIL_BAD_REQUEST, "malformed percent sequence in '%s'",
		    quote_of(segment).text);
	if (has_dangerous_byte(text))
		return fail(why, FAIL_BAD_REQUEST, "control character or slash in path segment '%s'",
		    quote_of(segment).text);
	if (span_equals(text, ".") || span_equals(text, ".."))
		return fail(why, FAIL_BAD_REQUEST, "path segment '%s' is not allowed",
		    quote_of(segment).text);
	if (!span_is_utf8(text))
		return fail(why, FAIL_BAD_REQUEST, "path segment '%s' is not UTF-8", quote_of(segment).text);
	*decoded = text;
	return true;
}

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

void
url_encode(struct span raw, const char *safe, struct text *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < raw.length; i++) {
		char c = raw.at[i];

		if (is_unreserved(c) || (c != '\0' && strchr(safe, c) != NULL)) {
			text_add_char(out, c);
		} else {
			const char escape[3] = { '%', digits[(unsigned char)c >> 4], digits[c & 15] };

			text_add_bytes(out, escape, sizeof(escape));
		}
	}
}
