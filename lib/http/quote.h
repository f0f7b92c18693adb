/*
 * quote - a client's words, made fit to stand in a failure's detail.
 *
 *	return fail(why, FAIL_BAD_REQUEST, "unknown operation '%s'", quote_of(name).text);
 *
 * What is not printable ASCII, and quotation marks and backslashes, become
 * "?", so that a detail cannot break a log line, a terminal or a JSON body.
 * What is longer than QUOTE_MAX ends in "...".
 */
#ifndef HTTP_QUOTE_H
#define HTTP_QUOTE_H

#include "base/text.h"

enum { QUOTE_MAX = 40 };

struct quote {
	char text[QUOTE_MAX + 1];
};

struct quote quote_of(struct span span);

#endif
