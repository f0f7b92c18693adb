#include "http/hints.h"

#include <string.h>

enum { WIDTH_MAX = 65535, DPR_MAX = 100, DPR_DECIMALS = 6 };

bool
hint_saves_data(struct span field)
{
	while (field.at != NULL) {
		struct span token = span_cut(&field, ',');

		if (span_equals_ignoring_case(span_trim(span_cut(&token, ';')), "on"))
			return true;
	}
	return false;
}

bool
hint_width(struct span field, unsigned *width)
{
	uint64_t number;

	if (!span_to_u64(span_trim(field), 1, WIDTH_MAX, &number))
		return false;
	*width = (unsigned)number;
	return true;
}

bool
hint_dpr(struct span field, double *dpr)
{
	struct span text = span_trim(field);
	const char *point = text.length > 0 ? memchr(text.at, '.', text.length) : NULL;
	double number;

	if (point != NULL && text.length > (size_t)(point - text.at) + 1 + DPR_DECIMALS)
		text.length = (size_t)(point - text.at) + 1 + DPR_DECIMALS;
	if (!span_to_double(text, 0, DPR_MAX, &number) || number == 0)
		return false;
	*dpr = number;
	return true;
}
