#include "image/rewrap_passage.h"

#include <string.h>

unsigned char
passage_byte(struct span span, size_t at)
{
	return (unsigned char)span.at[at];
}

uint32_t
passage_number(struct span span, size_t at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | passage_byte(span, at + i);
	return value;
}

bool
passage_begins_with(struct span span, const char *bytes, size_t length)
{
	return span.length >= length && memcmp(span.at, bytes, length) == 0;
}

bool
passage_take(struct span *rest, size_t length, struct span *taken)
{
	if (length > rest->length)
		return false;
	*taken = span_range(rest->at, length);
	*rest = span_range(rest->at + length, rest->length - length);
	return true;
}

void
passage_copy(struct passage *passage, struct span bytes)
{
	text_add_bytes(passage->out, bytes.at, bytes.length);
}

bool
passage_take_and_copy(struct passage *passage, size_t length)
{
	struct span bytes;

	if (!passage_take(&passage->rest, length, &bytes))
		return false;
	passage_copy(passage, bytes);
	return true;
}

void
passage_add_number(struct passage *passage, uint32_t value, unsigned bytes)
{
	while (bytes-- > 0)
		text_add_char(passage->out, (char)(value >> (8 * bytes)));
}

/* Whether a name of four letters is one of "JXL ftypjxlc". */
static bool
is_among(struct span name, const char *names)
{
	for (; *names != '\0'; names += 4)
		if (memcmp(name.at, names, 4) == 0)
			return true;
	return false;
}

/* ---- PNG (W3C PNG specification, third edition, section 5) -------------------------------- */

enum { PNG_SIGNATURE = 8, PNG_CHUNK_HEADER = 8, PNG_CHUNK_END = 4, PNG_LENGTH_MAX = INT32_MAX };

/* Without acTL, fcTL and fdAT an animated PNG is its first picture, which is
 * all that our decoder sees. */
static const char kept_in_png[] = "IHDRPLTEIDATIENDtRNScHRMgAMAsBITsRGBcICP";

/* What is longer than it can be hides something: decoders skip it and go on. */
static bool
has_png_length(struct span name, size_t length)
{
	static const struct {
		const char *name;
		size_t longest;
	} lengths[] = {
		{ "IHDR", 13 }, { "PLTE", 768 }, { "IEND", 0 }, { "tRNS", 256 }, { "cHRM", 32 }, { "gAMA", 4 },
		{ "sBIT", 4 }, { "sRGB", 1 }, { "cICP", 4 },
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (is_among(name, lengths[i].name))
			return length <= lengths[i].longest;
	return true;
}

static uint32_t
png_checksum(const char *bytes, size_t length)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		sum ^= (unsigned char)bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
	}
	return ~sum;
}

static void
add_packet_to_png(struct passage *passage)
{
	/* Keyword, not compressed, no language, no translated keyword; each ends in NUL. */
	static const char start[] = "iTXtXML:com.adobe.xmp\0\0\0\0";
	size_t begin;

	if (passage->packet.length == 0)
		return;
	passage_add_number(passage, (uint32_t)(sizeof(start) - 4 + passage->packet.length), 4);
	begin = passage->out->length;
	text_add_bytes(passage->out, start, sizeof(start));
	passage_copy(passage, passage->packet);
	if (!passage->out->was_cut)
		passage_add_number(passage, png_checksum(passage->out->at + begin, passage->out->length - begin), 4);
	passage->packet.length = 0;
}

static bool
rewrap_png(struct passage *passage)
{
	struct span chunk, name;

	if (!passage_begins_with(passage->rest, "\x89PNG\r\n\x1A\n", PNG_SIGNATURE) ||
	    !passage_take_and_copy(passage, PNG_SIGNATURE))
		return false;
	while (passage->rest.length >= PNG_CHUNK_HEADER) {
		uint32_t length = passage_number(passage->rest, 0, 4);
		bool is_critical, is_kept;

		if (length > PNG_LENGTH_MAX ||
		    !passage_take(&passage->rest, PNG_CHUNK_HEADER + (size_t)length + PNG_CHUNK_END, &chunk))
			return false;
		name = span_range(chunk.at + 4, 4);
		is_critical = (name.at[0] & 0x20) == 0;
		is_kept = is_among(name, kept_in_png) || (passage->keeps_profile && is_among(name, "iCCP"));
		if ((is_critical && !is_kept) || !has_png_length(name, length))
			return false;
		if (is_kept)
			passage_copy(passage, chunk);
		if (is_among(name, "IHDR"))
			add_packet_to_png(passage);
		if (is_among(name, "IEND"))
			return true;
	}
	return false;
}

/* ---- WebP (RFC 9649) ------------------------------------------------------------------------ */

static uint32_t
little_endian_32(struct span span, size_t at)
{
	return __builtin_bswap32(passage_number(span, at, 4));
}

enum {
	RIFF_HEADER = 12,	/* "RIFF", size, "WEBP" */
	RIFF_CHUNK_HEADER = 8,	/* name, size */
	VP8X_BYTES = 10,
	/* In its first byte. */
	VP8X_HAS_XMP = 0x04, VP8X_HAS_EXIF = 0x08, VP8X_HAS_PROFILE = 0x20,
	ANMF_HEADER = 16	/* place, size and time of a frame, before its own chunks */
};

static const char kept_in_webp[] = "VP8XVP8 VP8LALPHANIM";

/* Header, content, and the byte that makes an odd length even. */
static bool
take_riff_chunk(struct span *rest, struct span *chunk, struct span *content)
{
	uint64_t length;

	if (rest->length < RIFF_CHUNK_HEADER)
		return false;
	length = little_endian_32(*rest, 4);
	if (!passage_take(rest, (size_t)(RIFF_CHUNK_HEADER + length + (length & 1)), chunk))
		return false;
	*content = span_range(chunk->at + RIFF_CHUNK_HEADER, (size_t)length);
	return true;
}

/* Nothing but pictures in a frame of an animation. */
static bool
is_plain_frame(struct span content)
{
	struct span header, chunk, inner;

	if (!passage_take(&content, ANMF_HEADER, &header))
		return false;
	while (content.length > 0)
		if (!take_riff_chunk(&content, &chunk, &inner) || !is_among(chunk, "VP8 VP8LALPH"))
			return false;
	return true;
}

static bool
copy_riff_chunk(struct passage *passage, struct span chunk, struct span content, size_t *flags_at)
{
	if (is_among(chunk, "VP8X")) {
		if (content.length != VP8X_BYTES || *flags_at != 0)
			return false;
		*flags_at = passage->out->length + RIFF_CHUNK_HEADER;
	}
	if (is_among(chunk, kept_in_webp) || (is_among(chunk, "ANMF") && is_plain_frame(content)) ||
	    (passage->keeps_profile && is_among(chunk, "ICCP"))) {
		passage_copy(passage, chunk);
		return true;
	}
	return !is_among(chunk, "ANMF");
}

static void
add_packet_to_webp(struct passage *passage)
{
	text_add(passage->out, "XMP ");
	passage_add_number(passage, __builtin_bswap32((uint32_t)passage->packet.length), 4);
	passage_copy(passage, passage->packet);
	if (passage->packet.length % 2 == 1)
		text_add_char(passage->out, '\0');
}

static void
write_little_endian_32(char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(value >> (8 * i));
}

static bool
rewrap_webp(struct passage *passage)
{
	size_t start = passage->out->length, flags_at = 0;
	struct span header, file, chunk, content;
	char *flags;

	if (!passage_begins_with(passage->rest, "RIFF", 4) || !passage_take(&passage->rest, RIFF_HEADER, &header) ||
	    little_endian_32(header, 4) < 4 || !passage_take(&passage->rest, little_endian_32(header, 4) - 4, &file))
		return false;
	passage_copy(passage, header);
	while (file.length > 0)
		if (!take_riff_chunk(&file, &chunk, &content) ||
		    !copy_riff_chunk(passage, chunk, content, &flags_at))
			return false;
	/* Only the extended form, which begins with VP8X, can hold metadata. */
	if (passage->packet.length > 0) {
		if (flags_at == 0)
			return false;
		add_packet_to_webp(passage);
	}
	if (passage->out->was_cut)
		return false;
	if (flags_at != 0) {
		flags = passage->out->at + flags_at;
		*flags = (char)((*flags & ~(VP8X_HAS_XMP | VP8X_HAS_EXIF)) |
		    (passage->packet.length > 0 ? VP8X_HAS_XMP : 0));
		if (!passage->keeps_profile)
			*flags = (char)(*flags & ~VP8X_HAS_PROFILE);
	}
	write_little_endian_32(passage->out->at + start + 4, (uint32_t)(passage->out->length - start - 8));
	return true;
}

/* ---- JPEG XL (ISO/IEC 18181-2: boxes, or only the codestream) ------------------------------- */

enum { BOX_HEADER = 8 };

static const char jxl_start[] = "\0\0\0\x0CJXL \r\n\x87\n" "\0\0\0\x14" "ftypjxl \0\0\0\0jxl ";
enum { JXL_START = sizeof(jxl_start) - 1 };

static void
add_box(struct passage *passage, const char *name, struct span content)
{
	if (content.length == 0)
		return;
	passage_add_number(passage, (uint32_t)(BOX_HEADER + content.length), 4);
	text_add(passage->out, name);
	passage_copy(passage, content);
}

static bool
copy_boxes(struct passage *passage)
{
	struct span box;

	if (!passage_take_and_copy(passage, JXL_START))
		return false;
	add_box(passage, "xml ", passage->packet);
	while (passage->rest.length >= BOX_HEADER) {
		uint32_t length = passage_number(passage->rest, 0, 4);

		/* 0: to the end of the file. */
		if (!passage_take(&passage->rest, length == 0 ? passage->rest.length : length, &box) ||
		    box.length < BOX_HEADER)
			return false;
		if (is_among(span_range(box.at + 4, 4), "jxlljxlcjxlp"))
			passage_copy(passage, box);
	}
	return passage->rest.length == 0;
}

static bool
rewrap_jxl(struct passage *passage)
{
	struct span file = passage->rest;

	if (passage_begins_with(file, jxl_start, JXL_START))
		return copy_boxes(passage);
	if (!passage_begins_with(file, "\xFF\x0A", 2) || file.length > INT32_MAX)
		return false;
	if (passage->packet.length == 0)
		return passage_take_and_copy(passage, file.length);
	text_add_bytes(passage->out, jxl_start, JXL_START);
	add_box(passage, "xml ", passage->packet);
	add_box(passage, "jxlc", file);
	return true;
}

/* ---- all of them ----------------------------------------------------------------------------- */

bool
rewrap(enum media media, struct span file, bool keeps_profile, struct span packet, struct text *out)
{
	struct passage passage = { file, packet, out, keeps_profile };
	bool is_done = false;

	switch (media) {
	case MEDIA_JPEG:
		is_done = rewrap_jpeg(&passage);
		break;
	case MEDIA_PNG:
		is_done = rewrap_png(&passage);
		break;
	case MEDIA_WEBP:
		is_done = rewrap_webp(&passage);
		break;
	case MEDIA_GIF:
		is_done = rewrap_gif(&passage);
		break;
	case MEDIA_JXL:
		is_done = rewrap_jxl(&passage);
		break;
	case MEDIA_AVIF:	/* offsets into the file all over its tables */
	case MEDIA_HEIC:
	case MEDIA_TIFF:
	case MEDIA_SVG:
	case MEDIA_NONE:
	case MEDIA_COUNT:
		break;
	}
	return is_done && !out->was_cut;
}
