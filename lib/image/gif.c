#include "image/gif.h"

enum {
	HEADER_BYTES = 13,		/* signature and logical screen descriptor */
	HEADER_FLAGS_AT = 10,
	EXTENSION = '!',
	IMAGE = ',',
	IMAGE_BYTES = 9,		/* descriptor, without its introducer */
	IMAGE_FLAGS_AT = 8,
	HAS_COLOURS = 0x80,		/* in either flags: 2 << (flags & 7) colours follow */
	COLOURS_EXPONENT = 7
};

/* False when the file ends before. */
static bool
skip(struct span *rest, size_t length)
{
	if (length > rest->length)
		return false;
	*rest = span_range(rest->at + length, rest->length - length);
	return true;
}

static unsigned
byte_at(struct span span, size_t at)
{
	return (unsigned char)span.at[at];
}

static bool
skip_with_colours(struct span *rest, size_t length, size_t flags_at)
{
	unsigned flags = rest->length > flags_at ? byte_at(*rest, flags_at) : 0;

	return skip(rest, length + ((flags & HAS_COLOURS) != 0 ? (size_t)3 * (2u << (flags & COLOURS_EXPONENT)) : 0));
}

/* Each block after its length, up to one of length 0. */
static bool
skip_blocks(struct span *rest)
{
	while (rest->length > 0) {
		unsigned length = byte_at(*rest, 0);

		if (!skip(rest, 1 + length))
			return false;
		if (length == 0)
			return true;
	}
	return false;
}

bool
gif_is_cut_off(struct span file)
{
	struct span rest = file;

	if (!skip_with_colours(&rest, HEADER_BYTES, HEADER_FLAGS_AT))
		return true;
	while (rest.length > 0) {
		unsigned introducer = byte_at(rest, 0);

		skip(&rest, 1);
		if (introducer != EXTENSION && introducer != IMAGE)
			return false;
		if (introducer == IMAGE && !skip_with_colours(&rest, IMAGE_BYTES, IMAGE_FLAGS_AT))
			return true;
		/* An extension's label, the size of an image's codes. */
		if (!skip(&rest, 1) || !skip_blocks(&rest))
			return true;
	}
	return false;
}
