#include "origin/percent.h"

int
percent_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
percent_decode(char *bytes, size_t *length)
{
	size_t written = 0;

	for (size_t i = 0; i < *length; i++, written++) {
		char c = bytes[i];

		if (c == '%') {
			int high = i + 2 < *length ? percent_hex_digit(bytes[i + 1]) : -1;
			int low = i + 2 < *length ? percent_hex_digit(bytes[i + 2]) : -1;

			if (high == -1 || low == -1)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		bytes[written] = c;
	}
	*length = written;
	return true;
}
