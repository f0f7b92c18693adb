/*
 * rewrap_jpeg - JPEG files (ITU-T T.81 annex B): segments, and coded data between them.
 */
#include "image/rewrap_passage.h"

#include <string.h>

enum {
	SOF0 = 0xC0, SOF2 = 0xC2, DHT = 0xC4, RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8, EOI = 0xD9,
	SOS = 0xDA, DQT = 0xDB, DRI = 0xDD, APP0 = 0xE0, APP1 = 0xE1, APP2 = 0xE2, APP14 = 0xEE,
	APP15 = 0xEF, COM = 0xFE,
	SEGMENT_MAX = 65535,	/* with the two bytes of its length */
	ADOBE_BYTES = 12	/* Adobe technical note 5116, section 18 */
};

static const char xmp_in_jpeg[] = "http://ns.adobe.com/xap/1.0/";	/* its NUL is part of it */

static bool
add_packet_to_jpeg(struct passage *passage)
{
	size_t length = 2 + sizeof(xmp_in_jpeg) + passage->packet.length;

	if (passage->packet.length == 0)
		return true;
	if (length > SEGMENT_MAX)
		return false;
	passage_add_number(passage, 0xFF00 | APP1, 2);
	passage_add_number(passage, (uint32_t)length, 2);
	text_add_bytes(passage->out, xmp_in_jpeg, sizeof(xmp_in_jpeg));
	passage_copy(passage, passage->packet);
	passage->packet.length = 0;
	return true;
}

/* JFIF without the thumbnail that it may end with: version, density, 0 x 0. */
static bool
copy_jfif(struct passage *passage, struct span content)
{
	enum { BEFORE_THUMBNAIL = 12 };

	if (content.length < BEFORE_THUMBNAIL + 2)
		return false;
	passage_add_number(passage, 0xFF00 | APP0, 2);
	passage_add_number(passage, 2 + BEFORE_THUMBNAIL + 2, 2);
	text_add_bytes(passage->out, content.at, BEFORE_THUMBNAIL);
	passage_add_number(passage, 0, 2);
	return true;
}

static bool
is_adobe(unsigned marker, struct span content)
{
	return marker == APP14 && passage_begins_with(content, "Adobe", 5);
}

static bool
decides_the_jpeg(unsigned marker, struct span content, bool keeps_profile)
{
	return marker == DHT || marker == DQT || marker == DRI || is_adobe(marker, content) ||
	    (keeps_profile && marker == APP2 && passage_begins_with(content, "ICC_PROFILE", 12));
}

static bool
is_dropped_from_jpeg(unsigned marker)
{
	return (marker >= APP0 && marker <= APP15) || marker == COM;
}

/* 8 bits, grey or three colours, Huffman: what all browsers show alike. */
static bool
is_common_frame(unsigned marker, struct span content)
{
	enum { COMPONENTS_AT = 5 };

	return marker >= SOF0 && marker <= SOF2 && content.length > COMPONENTS_AT && passage_byte(content, 0) == 8 &&
	    (passage_byte(content, COMPONENTS_AT) == 1 || passage_byte(content, COMPONENTS_AT) == 3);
}

/* The coded data after SOS, up to the marker that ends it. */
static bool
copy_scan(struct passage *passage)
{
	struct span rest = passage->rest;

	for (size_t i = 0; i + 1 < rest.length; i++) {
		unsigned next = passage_byte(rest, i + 1);

		if (passage_byte(rest, i) == 0xFF && next != 0 && next != 0xFF && !(next >= RST0 && next <= RST7))
			return passage_take_and_copy(passage, i);
	}
	return false;
}

/* The marker after its 0xFF, before which there may be more of these. */
static bool
take_marker(struct passage *passage, unsigned *marker)
{
	struct span byte;

	if (!passage_take(&passage->rest, 1, &byte) || passage_byte(byte, 0) != 0xFF)
		return false;
	do
		if (!passage_take(&passage->rest, 1, &byte))
			return false;
	while (passage_byte(byte, 0) == 0xFF);
	*marker = passage_byte(byte, 0);
	return true;
}

static bool
take_segment(struct passage *passage, struct span *content)
{
	struct span length;

	return passage_take(&passage->rest, 2, &length) && passage_number(length, 0, 2) >= 2 &&
	    passage_take(&passage->rest, passage_number(length, 0, 2) - 2, content);
}

static bool
copy_segment(struct passage *passage, unsigned marker, struct span content)
{
	/* The packet stands after JFIF, which must be first, and before everything else. */
	if (marker == APP0 && passage_begins_with(content, "JFIF", 5) && passage->out->length == 2)
		return copy_jfif(passage, content);
	/* Decoders read the first bytes of a longer one, and the rest could say anything. */
	if (is_adobe(marker, content) && content.length != ADOBE_BYTES)
		return false;
	if (!add_packet_to_jpeg(passage))
		return false;
	if (!decides_the_jpeg(marker, content, passage->keeps_profile) && !is_common_frame(marker, content) &&
	    marker != SOS)
		return is_dropped_from_jpeg(marker);
	passage_add_number(passage, 0xFF00 | marker, 2);
	passage_add_number(passage, (uint32_t)content.length + 2, 2);
	passage_copy(passage, content);
	return marker != SOS || copy_scan(passage);
}

bool
rewrap_jpeg(struct passage *passage)
{
	unsigned marker;
	struct span content;

	if (!passage_begins_with(passage->rest, "\xFF\xD8", 2) || !passage_take_and_copy(passage, 2))
		return false;
	while (take_marker(passage, &marker)) {
		if (marker == EOI) {
			passage_add_number(passage, 0xFF00 | EOI, 2);
			return true;
		}
		if (!take_segment(passage, &content) || !copy_segment(passage, marker, content))
			return false;
	}
	return false;
}
