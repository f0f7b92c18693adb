/*
 * text - reading and building text without surprises.
 *
 * A span is a view of bytes that somebody else owns; it need not end in NUL.
 * Parsers take spans and never write to their input.  A text is a string that
 * grows in an arena up to a maximum given when it is made: what does not fit
 * is dropped and remembered, so a builder checks once, at the end.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *at;
	size_t length;
};

/* As an initialiser. */
#define SPAN_OF_LITERAL(text) { (text), sizeof(text) - 1 }

/* For printf: printf("%.*s", SPAN_ARGS(span)). */
#define SPAN_ARGS(span) (int)(span).length, (span).at

struct span span_of(const char *text);
struct span span_range(const char *at, size_t length);
bool span_equals(struct span span, const char *text);
bool span_equals_ignoring_case(struct span span, const char *text);
bool span_starts_with(struct span span, const char *prefix);

/* Cuts *rest at the first separator: returns what stands before it and leaves
 * in *rest what stands after it.  Without a separator the whole of *rest is
 * returned and *rest becomes empty with at == NULL, so that
 *	while (rest.at != NULL) { part = span_cut(&rest, ','); ... }
 * visits "a,,b" as "a", "", "b" and "" as one empty part. */
struct span span_cut(struct span *rest, char separator);

/* Without leading and trailing space and tab. */
struct span span_trim(struct span span);

/* The whole span is a decimal number without sign, space or leading "+", in
 * range; false leaves *value alone. */
bool span_to_u64(struct span span, uint64_t min, uint64_t max, uint64_t *value);
bool span_to_i64(struct span span, int64_t min, int64_t max, int64_t *value);

/* Plain decimal notation only ("12", "-0.5"; no exponent, no "nan"), at most
 * nine digits on each side of the point, read independently of the locale. */
bool span_to_double(struct span span, double min, double max, double *value);

bool span_is_utf8(struct span span);

struct text {
	struct arena *arena;
	char *at;		/* always NUL-terminated */
	size_t length, capacity, max;
	bool was_cut;		/* something did not fit into max bytes */
};

/* max counts bytes without the final NUL. */
void text_init(struct text *text, struct arena *arena, size_t max);

/* Begins anew, in the same memory. */
void text_clear(struct text *text);

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add_char(struct text *text, char c);
void text_add_u64(struct text *text, uint64_t value);
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The shortest decimal text that reads back as the same value, at most six
 * digits after the point, no exponent, independent of the locale: "0.25". */
void text_add_double(struct text *text, double value);

struct span text_span(const struct text *text);

#endif
