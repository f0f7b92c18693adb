#include "store/record.h"

#include "base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/xattr.h>

static const char attribute[] = "user.vitrine";
static const char version[] = "1";
static const char no_media[] = "none";

enum { CHECKSUM_HEX = 16 };

static const char *
media_word(enum media media)
{
	return media == MEDIA_NONE ? no_media : media_extension(media);
}

size_t
record_print(const struct record *record, char text[RECORD_MAX])
{
	int length = snprintf(text, RECORD_MAX, "%s %" PRIu64 " %016" PRIx64 " %s", version,
	    record->bytes, record->checksum, media_word(record->media));

	CHECK(length > 0 && length < RECORD_MAX);
	return (size_t)length;
}

static bool
parse_checksum(struct span text, uint64_t *checksum)
{
	uint64_t value = 0;

	if (text.length != CHECKSUM_HEX)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char digit = text.at[i];

		if (digit >= '0' && digit <= '9')
			value = value << 4 | (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value = value << 4 | (uint64_t)(digit - 'a' + 10);
		else
			return false;
	}
	*checksum = value;
	return true;
}

static bool
parse_media(struct span text, enum media *media)
{
	*media = media_of_extension(text);
	if (*media == MEDIA_NONE)
		return span_equals(text, no_media);
	return span_equals(text, media_extension(*media));	/* "jpg", not "jpeg" or "JPG" */
}

bool
record_parse(struct span text, struct record *record)
{
	struct record parsed;

	if (!span_equals(span_cut(&text, ' '), version) ||
	    !span_to_u64(span_cut(&text, ' '), 0, INT64_MAX, &parsed.bytes) ||
	    !parse_checksum(span_cut(&text, ' '), &parsed.checksum) ||
	    text.at == NULL || !parse_media(text, &parsed.media))
		return false;
	*record = parsed;
	return true;
}

bool
record_get(int fd, struct record *record)
{
	char text[RECORD_MAX];
	ssize_t length = fgetxattr(fd, attribute, text, sizeof(text));

	if (length == -1)
		return false;
	errno = EINVAL;
	return record_parse(span_range(text, (size_t)length), record);
}

bool
record_put(int fd, const struct record *record)
{
	char text[RECORD_MAX];
	size_t length = record_print(record, text);

	return fsetxattr(fd, attribute, text, length, 0) != -1;
}
