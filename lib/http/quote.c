#include "http/quote.h"

#include <string.h>

static bool
is_harmless(char c)
{
	return c >= ' ' && c <= '~' && c != '\'' && c != '"' && c != '\\';
}

struct quote
quote_of(struct span span)
{
	static const char dots[] = "...";
	struct quote quote = { "" };
	bool is_long = span.length > QUOTE_MAX;
	size_t kept = is_long ? QUOTE_MAX - strlen(dots) : span.length;

	for (size_t i = 0; i < kept; i++)
		quote.text[i] = is_harmless(span.at[i]) ? span.at[i] : '?';
	if (is_long)
		memcpy(quote.text + kept, dots, sizeof(dots));
	return quote;
}
