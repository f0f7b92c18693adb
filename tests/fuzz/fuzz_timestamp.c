/*
 * fuzz_timestamp - moments as servers write them.  What is read is the moment that
 * the C library makes of the same words.
 */
#include "base/check.h"
#include "origin/timestamp.h"

#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The form that S3 takes, "20130524T000000Z", by ours and by the C library. */
static void
check_moment(int64_t seconds)
{
	time_t moment = seconds;
	char ours[TIMESTAMP_AMZ + 1], theirs[32];
	struct tm parts;

	CHECK(seconds >= 0 && gmtime_r(&moment, &parts) != NULL && parts.tm_year + 1900 <= 9999);
	CHECK(strftime(theirs, sizeof(theirs), "%Y%m%dT%H%M%SZ", &parts) == TIMESTAMP_AMZ);
	timestamp_print_amz(seconds, ours);
	CHECK(strcmp(ours, theirs) == 0);
}

static void
check_http(struct span text, int64_t seconds)
{
	time_t moment = seconds;
	char again[64];
	struct tm parts;

	CHECK(gmtime_r(&moment, &parts) != NULL);
	CHECK(strftime(again, sizeof(again), "%a, %d %b %Y %H:%M:%S GMT", &parts) == text.length);
	/* Whatever day of the week it says; and a leap second is the next one. */
	CHECK(memcmp(again + 4, text.at + 4, text.length - 4) == 0 || memcmp(text.at + 23, "60", 2) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span text = span_range((const char *)bytes, size);
	int64_t seconds;

	if (timestamp_parse_http(text, &seconds)) {
		check_moment(seconds);
		check_http(text, seconds);
	}
	if (timestamp_parse_iso(text, &seconds))
		check_moment(seconds);
	return 0;
}
