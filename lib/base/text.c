#include "base/text.h"

#include "base/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct span
span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

struct span
span_range(const char *at, size_t length)
{
	return (struct span){ at, length };
}

bool
span_equals(struct span span, const char *text)
{
	size_t same = 0;	/* mostly 0: quicker than to measure the text */

	while (same < span.length && text[same] != '\0' && span.at[same] == text[same])
		same++;
	return same == span.length && text[same] == '\0';
}

bool
span_equals_ignoring_case(struct span span, const char *text)
{
	return span.length == strlen(text) && strncasecmp(span.at, text, span.length) == 0;
}

bool
span_starts_with(struct span span, const char *prefix)
{
	size_t same = 0;

	while (same < span.length && prefix[same] != '\0' && span.at[same] == prefix[same])
		same++;
	return prefix[same] == '\0';
}

struct span
span_cut(struct span *rest, char separator)
{
	struct span whole = *rest;
	const char *found = whole.length > 0 ? memchr(whole.at, separator, whole.length) : NULL;

	if (found == NULL) {
		*rest = (struct span){ NULL, 0 };
		return whole;
	}
	size_t before = (size_t)(found - whole.at);
	*rest = (struct span){ found + 1, whole.length - before - 1 };
	return (struct span){ whole.at, before };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span
span_trim(struct span span)
{
	while (span.length > 0 && is_blank(span.at[0])) {
		span.at++;
		span.length--;
	}
	while (span.length > 0 && is_blank(span.at[span.length - 1]))
		span.length--;
	return span;
}

bool
span_to_u64(struct span span, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (span.length == 0)
		return false;
	for (size_t i = 0; i < span.length; i++) {
		if (span.at[i] < '0' || span.at[i] > '9')
			return false;
		if (__builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(span.at[i] - '0'), &number))
			return false;
	}
	if (number < min || number > max)
		return false;
	*value = number;
	return true;
}

bool
span_to_i64(struct span span, int64_t min, int64_t max, int64_t *value)
{
	bool is_negative = span.length > 0 && span.at[0] == '-';
	uint64_t magnitude;
	int64_t number;

	if (is_negative)
		span = span_range(span.at + 1, span.length - 1);
	if (!span_to_u64(span, 0, INT64_MAX, &magnitude))
		return false;
	number = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (number < min || number > max)
		return false;
	*value = number;
	return true;
}

bool
span_to_double(struct span span, double min, double max, double *value)
{
	enum { MAX_DIGITS = 9 };
	bool is_negative = span.length > 0 && span.at[0] == '-';
	size_t i = is_negative ? 1 : 0, whole_digits = 0, digits_after_point = 0;
	double number = 0, divisor = 1;

	for (; i < span.length && span.at[i] >= '0' && span.at[i] <= '9'; i++, whole_digits++)
		number = number * 10 + (span.at[i] - '0');
	if (i < span.length && span.at[i] == '.')
		for (i++; i < span.length && span.at[i] >= '0' && span.at[i] <= '9';
		    i++, digits_after_point++) {
			number = number * 10 + (span.at[i] - '0');
			divisor *= 10;
		}
	if (i != span.length || whole_digits == 0 || whole_digits > MAX_DIGITS ||
	    digits_after_point > MAX_DIGITS || span.at[span.length - 1] == '.')
		return false;
	number = is_negative ? -(number / divisor) : number / divisor;
	if (number < min || number > max)
		return false;
	*value = number == 0 ? 0 : number;	/* no "-0" in canonical texts */
	return true;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool
span_is_utf8(struct span span)
{
	const unsigned char *at = (const unsigned char *)span.at;
	size_t left = span.length;

	while (left > 0) {
		size_t length;
		unsigned char low = 0x80, high = 0xBF;

		if (at[0] < 0x80)
			length = 1;
		else if (at[0] >= 0xC2 && at[0] <= 0xDF)
			length = 2;
		else if (at[0] >= 0xE0 && at[0] <= 0xEF)
			length = 3;
		else if (at[0] >= 0xF0 && at[0] <= 0xF4)
			length = 4;
		else
			return false;
		if (left < length)
			return false;
		if (at[0] == 0xE0)
			low = 0xA0;
		else if (at[0] == 0xED)
			high = 0x9F;
		else if (at[0] == 0xF0)
			low = 0x90;
		else if (at[0] == 0xF4)
			high = 0x8F;
		for (size_t i = 1; i < length; i++) {
			if (at[i] < low || at[i] > high)
				return false;
			low = 0x80;
			high = 0xBF;
		}
		at += length;
		left -= length;
	}
	return true;
}

void
text_init(struct text *text, struct arena *arena, size_t max)
{
	*text = (struct text){ .arena = arena, .max = max };
	text->capacity = max < 63 ? max : 63;
	text->at = arena_alloc(arena, text->capacity + 1);
}

void
text_clear(struct text *text)
{
	text->length = 0;
	text->at[0] = '\0';
	text->was_cut = false;
}

static void
text_reserve(struct text *text, size_t length)
{
	size_t capacity = text->capacity;
	char *grown;

	if (length <= capacity)
		return;
	while (capacity < length)
		capacity = capacity * 2 + 1;
	if (capacity > text->max)
		capacity = text->max;
	grown = arena_alloc(text->arena, capacity + 1);
	memcpy(grown, text->at, text->length);
	text->at = grown;
	text->capacity = capacity;
}

void
text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	size_t room = text->max - text->length;

	if (length > room) {
		text->was_cut = true;
		length = room;
	}
	if (length == 0)
		return;
	text_reserve(text, text->length + length);
	memcpy(text->at + text->length, bytes, length);
	text->length += length;
	text->at[text->length] = '\0';
}

void
text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void
text_add_char(struct text *text, char c)
{
	text_add_bytes(text, &c, 1);
}

void
text_add_u64(struct text *text, uint64_t value)
{
	char digits[20];	/* of UINT64_MAX */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	text_add_bytes(text, digits + at, sizeof(digits) - at);
}

void
text_printf(struct text *text, const char *format, ...)
{
	char small[256];
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(small, sizeof(small), format, args);
	CHECK(length >= 0);
	if ((size_t)length < sizeof(small)) {
		text_add_bytes(text, small, (size_t)length);
	} else {
		char *large = arena_alloc(text->arena, (size_t)length + 1);

		vsnprintf(large, (size_t)length + 1, format, again);
		text_add_bytes(text, large, (size_t)length);
	}
	va_end(again);
	va_end(args);
}

void
text_add_double(struct text *text, double value)
{
	/* Integer arithmetic, because printf("%f") follows the locale. */
	double rounded = round(fabs(value) * 1000000);
	uint64_t micros;
	char digits[32];
	int length;

	CHECK(rounded < 1e18);
	micros = (uint64_t)rounded;
	if (value < 0 && micros > 0)
		text_add_char(text, '-');
	length = snprintf(digits, sizeof(digits), "%llu.%06llu",
	    (unsigned long long)(micros / 1000000), (unsigned long long)(micros % 1000000));
	while (digits[length - 1] == '0')
		length--;
	if (digits[length - 1] == '.')
		length--;
	text_add_bytes(text, digits, (size_t)length);
}

struct span
text_span(const struct text *text)
{
	return (struct span){ text->at, text->length };
}
