#include "origin/xml_scan.h"

#include "origin/percent.h"

#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip(struct span *span, size_t length)
{
	span->at += length;
	span->length -= length;
}

static void
skip_space(struct span *span)
{
	while (span->length > 0 && is_space(span->at[0]))
		skip(span, 1);
}

/* How many bytes stand before the first `wanted`; false when there is none. */
static bool
find_char(struct span span, char wanted, size_t *before)
{
	const char *found = span.length > 0 ? memchr(span.at, wanted, span.length) : NULL;

	if (found == NULL)
		return false;
	*before = (size_t)(found - span.at);
	return true;
}

void
xml_scan_init(struct xml_scan *scan, struct span document)
{
	size_t before;

	*scan = (struct xml_scan){ .rest = document };
	if (span_starts_with(scan->rest, "\xEF\xBB\xBF"))
		skip(&scan->rest, 3);
	skip_space(&scan->rest);
	if (span_starts_with(scan->rest, "<?xml") && find_char(scan->rest, '>', &before))
		skip(&scan->rest, before + 1);
}

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("_-.:", c) != NULL);
}

static struct span
cut_name(struct span *tag)
{
	struct span name = { tag->at, 0 };

	while (tag->length > 0 && is_name_char(tag->at[0])) {
		skip(tag, 1);
		name.length++;
	}
	return name;
}

/* Skips ` name="value"` pairs.  A ">" may stand in a value, so the end of the
 * tag is known only after them. */
static bool
skip_attributes(struct span *rest)
{
	for (;;) {
		size_t length;

		skip_space(rest);
		if (rest->length == 0 || rest->at[0] == '>' || rest->at[0] == '/')
			return rest->length > 0;
		if (cut_name(rest).length == 0 || !span_starts_with(*rest, "="))
			return false;
		skip(rest, 1);
		if (rest->length == 0 || (rest->at[0] != '"' && rest->at[0] != '\'') ||
		    !find_char(span_range(rest->at + 1, rest->length - 1), rest->at[0], &length) ||
		    memchr(rest->at + 1, '<', length) != NULL)
			return false;
		skip(rest, length + 2);
	}
}

static enum xml_token
open_element(struct xml_scan *scan)
{
	struct span name;

	skip(&scan->rest, 1);
	name = cut_name(&scan->rest);
	if (name.length == 0 || scan->depth == XML_DEPTH_MAX || scan->root_was_closed ||
	    !skip_attributes(&scan->rest))
		return XML_MALFORMED;
	if (span_starts_with(scan->rest, "/")) {
		scan->is_empty_element = true;
		skip(&scan->rest, 1);
	}
	if (!span_starts_with(scan->rest, ">"))
		return XML_MALFORMED;
	skip(&scan->rest, 1);
	scan->name[scan->depth++] = name;
	return XML_OPEN;
}

static enum xml_token
leave_element(struct xml_scan *scan)
{
	scan->depth--;
	scan->root_was_closed = scan->depth == 0;
	return XML_CLOSE;
}

static enum xml_token
close_element(struct xml_scan *scan)
{
	struct span name, wanted;

	skip(&scan->rest, 2);
	name = cut_name(&scan->rest);
	skip_space(&scan->rest);
	if (scan->depth == 0 || !span_starts_with(scan->rest, ">"))
		return XML_MALFORMED;
	skip(&scan->rest, 1);
	wanted = scan->name[scan->depth - 1];
	if (name.length != wanted.length || memcmp(name.at, wanted.at, name.length) != 0)
		return XML_MALFORMED;
	return leave_element(scan);
}

static enum xml_token
take_text(struct xml_scan *scan)
{
	size_t length;

	if (!find_char(scan->rest, '<', &length))
		return XML_MALFORMED;
	scan->text = span_range(scan->rest.at, length);
	skip(&scan->rest, length);
	return XML_TEXT;
}

enum xml_token
xml_scan_next(struct xml_scan *scan)
{
	if (scan->is_empty_element) {
		scan->is_empty_element = false;
		return leave_element(scan);
	}
	if (scan->depth == 0) {
		skip_space(&scan->rest);
		if (scan->rest.length == 0)
			return scan->root_was_closed ? XML_END : XML_MALFORMED;
		if (scan->rest.at[0] != '<')
			return XML_MALFORMED;
	}
	if (span_starts_with(scan->rest, "</"))
		return close_element(scan);
	if (span_starts_with(scan->rest, "<"))
		return open_element(scan);
	return take_text(scan);
}

bool
xml_scan_is_in(const struct xml_scan *scan, unsigned depth, const char *name)
{
	return scan->depth == depth && span_equals(scan->name[depth - 1], name);
}

static void
add_utf8(struct text *out, uint32_t character)
{
	if (character < 0x80) {
		text_add_char(out, (char)character);
	} else if (character < 0x800) {
		text_add_char(out, (char)(0xC0 | (character >> 6)));
		text_add_char(out, (char)(0x80 | (character & 63)));
	} else if (character < 0x10000) {
		text_add_char(out, (char)(0xE0 | (character >> 12)));
		text_add_char(out, (char)(0x80 | ((character >> 6) & 63)));
		text_add_char(out, (char)(0x80 | (character & 63)));
	} else {
		text_add_char(out, (char)(0xF0 | (character >> 18)));
		text_add_char(out, (char)(0x80 | ((character >> 12) & 63)));
		text_add_char(out, (char)(0x80 | ((character >> 6) & 63)));
		text_add_char(out, (char)(0x80 | (character & 63)));
	}
}

/* "#38" or "#x26". */
static bool
add_numbered(struct span entity, struct text *out)
{
	bool is_hex = span_starts_with(entity, "#x");
	uint64_t number = 0;

	skip(&entity, is_hex ? 2 : 1);
	if (entity.length == 0 || entity.length > 8)
		return false;
	if (!is_hex && !span_to_u64(entity, 1, 0x10FFFF, &number))
		return false;
	for (size_t i = 0; is_hex && i < entity.length; i++) {
		int value = percent_hex_digit(entity.at[i]);

		if (value == -1)
			return false;
		number = number * 16 + (unsigned)value;
	}
	if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
		return false;
	add_utf8(out, (uint32_t)number);
	return true;
}

static bool
add_entity(struct span entity, struct text *out)
{
	static const struct { const char *name; char character; } known[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
	};

	if (span_starts_with(entity, "#"))
		return add_numbered(entity, out);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_equals(entity, known[i].name)) {
			text_add_char(out, known[i].character);
			return true;
		}
	return false;
}

bool
xml_text_decode(struct span raw, struct text *out)
{
	while (raw.length > 0) {
		size_t before;

		if (!find_char(raw, '&', &before)) {
			text_add_bytes(out, raw.at, raw.length);
			return true;
		}
		text_add_bytes(out, raw.at, before);
		skip(&raw, before + 1);
		if (!find_char(raw, ';', &before) || !add_entity(span_range(raw.at, before), out))
			return false;
		skip(&raw, before + 1);
	}
	return true;
}
