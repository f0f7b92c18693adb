#include "origin/timestamp.h"

#include "base/check.h"

#include <string.h>
#include <time.h>

/* Reads digits at `at`; the caller has checked that they lie inside the text. */
static bool
read_number(struct span text, size_t at, size_t digits, uint64_t min, uint64_t max, int *number)
{
	uint64_t value;

	if (!span_to_u64(span_range(text.at + at, digits), min, max, &value))
		return false;
	*number = (int)value;
	return true;
}

/* timegm() turns 31 April into 1 May: what it changes was no date. */
static bool
to_seconds(struct tm parts, int64_t *seconds)
{
	struct tm normal = parts;
	time_t value = timegm(&normal);

	if (normal.tm_mday != parts.tm_mday || normal.tm_mon != parts.tm_mon || value < 0)
		return false;
	*seconds = value;
	return true;
}

/* "HH:MM:SS"; a leap second is written 60 (RFC 9110 5.6.7). */
static bool
read_clock(struct span text, size_t at, struct tm *parts)
{
	return text.at[at + 2] == ':' && text.at[at + 5] == ':' &&
	    read_number(text, at, 2, 0, 23, &parts->tm_hour) &&
	    read_number(text, at + 3, 2, 0, 59, &parts->tm_min) &&
	    read_number(text, at + 6, 2, 0, 60, &parts->tm_sec);
}

static bool
read_month_name(struct span text, size_t at, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, text.at + at, 3) == 0) {
			*month = i;
			return true;
		}
	return false;
}

bool
timestamp_parse_http(struct span text, int64_t *seconds)
{
	struct tm parts = { 0 };
	int year;

	/* 0123456789012345678901234567 8
	 * Fri, 24 May 2013 00:00:00 GMT */
	if (text.length != 29 || memcmp(text.at + 3, ", ", 2) != 0 || text.at[7] != ' ' ||
	    text.at[11] != ' ' || text.at[16] != ' ' || memcmp(text.at + 25, " GMT", 4) != 0)
		return false;
	if (!read_number(text, 5, 2, 1, 31, &parts.tm_mday) ||
	    !read_month_name(text, 8, &parts.tm_mon) ||
	    !read_number(text, 12, 4, 1970, 9999, &year) || !read_clock(text, 17, &parts))
		return false;
	parts.tm_year = year - 1900;
	return to_seconds(parts, seconds);
}

static bool
is_fraction(struct span text)
{
	if (text.length == 0)
		return true;
	if (text.at[0] != '.' || text.length < 2 || text.length > 10)
		return false;
	for (size_t i = 1; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return true;
}

bool
timestamp_parse_iso(struct span text, int64_t *seconds)
{
	struct tm parts = { 0 };
	int year, month;

	/* 0123456789012345678
	 * 2013-05-24T00:00:00.000Z */
	if (text.length < 20 || text.at[4] != '-' || text.at[7] != '-' || text.at[10] != 'T' ||
	    text.at[text.length - 1] != 'Z' ||
	    !is_fraction(span_range(text.at + 19, text.length - 20)))
		return false;
	if (!read_number(text, 0, 4, 1970, 9999, &year) || !read_number(text, 5, 2, 1, 12, &month) ||
	    !read_number(text, 8, 2, 1, 31, &parts.tm_mday) || !read_clock(text, 11, &parts))
		return false;
	parts.tm_year = year - 1900;
	parts.tm_mon = month - 1;
	return to_seconds(parts, seconds);
}

void
timestamp_print_amz(int64_t seconds, char out[TIMESTAMP_AMZ + 1])
{
	time_t value = seconds;
	struct tm parts;

	CHECK(gmtime_r(&value, &parts) != NULL);
	CHECK(strftime(out, TIMESTAMP_AMZ + 1, "%Y%m%dT%H%M%SZ", &parts) == TIMESTAMP_AMZ);
}
