/* Whatever stands in the attribute: it is refused, or read and printed as the same record. */
#include "store/record.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct record record, again;
	char text[RECORD_MAX];
	size_t printed;

	if (!record_parse(span_range((const char *)bytes, length), &record))
		return 0;
	printed = record_print(&record, text);
	CHECK(record_parse(span_range(text, printed), &again));
	CHECK(again.bytes == record.bytes);
	CHECK(again.checksum == record.checksum);
	CHECK(again.media == record.media);
	return 0;
}
