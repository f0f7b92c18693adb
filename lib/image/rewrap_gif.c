/*
 * rewrap_gif - GIF files (GIF89a specification): extensions and pictures, in
 * blocks of up to 255 bytes.
 */
#include "image/rewrap_passage.h"

#include <string.h>

enum {
	GIF_HEADER = 13,	/* signature and logical screen descriptor */
	GIF_FLAGS_AT = 10,	/* of the screen descriptor: has a table of 2 << (n & 7) colours */
	GIF_IMAGE = 10,		/* descriptor, with its introducer and, at the end, such flags */
	GIF_HAS_TABLE = 0x80,
	GIF_CONTROL = 8,	/* time, transparency and disposal of a frame */
	GIF_APPLICATION = 11,	/* "NETSCAPE2.0" */
	GIF_LOOP = 19		/* an application that says how often, and nothing else */
};

static size_t
gif_table_bytes(unsigned flags)
{
	return (flags & GIF_HAS_TABLE) != 0 ? 3 * ((size_t)2 << (flags & 7)) : 0;
}

/* Blocks of 1 to 255 bytes, each after its length, and a 0; added to *taken, which
 * stands before them. */
static bool
take_blocks(struct span *rest, struct span *taken)
{
	struct span block;

	do {
		if (rest->length == 0 || !passage_take(rest, 1 + (size_t)passage_byte(*rest, 0), &block))
			return false;
		taken->length += block.length;
	} while (block.length > 1);
	return true;
}

static bool
is_loop(struct span extension)
{
	static const char before_name[] = { '!', '\xFF', GIF_APPLICATION };
	enum { NAME_AT = sizeof(before_name) };

	return passage_begins_with(extension, before_name, NAME_AT) && extension.length >= NAME_AT + GIF_APPLICATION &&
	    (memcmp(extension.at + NAME_AT, "NETSCAPE2.0", GIF_APPLICATION) == 0 ||
	    memcmp(extension.at + NAME_AT, "ANIMEXTS1.0", GIF_APPLICATION) == 0);
}

/* What the times of frames and their repetition need, and none that hold more than that. */
static bool
copy_gif_extension(struct passage *passage)
{
	enum { PLAIN_TEXT = 0x01, CONTROL = 0xF9 };
	struct span extension;
	unsigned label;

	if (!passage_take(&passage->rest, 2, &extension) || !take_blocks(&passage->rest, &extension))
		return false;
	label = passage_byte(extension, 1);
	/* Text that the decoder should draw: nobody does, so what is right is open. */
	if (label == PLAIN_TEXT)
		return false;
	if (label != CONTROL && !is_loop(extension))
		return true;
	passage_copy(passage, extension);
	return extension.length == (label == CONTROL ? GIF_CONTROL : GIF_LOOP);
}

static bool
copy_gif_image(struct passage *passage)
{
	enum { CODE_SIZE = 1 };
	struct span image, more;

	if (!passage_take(&passage->rest, GIF_IMAGE, &image) ||
	    !passage_take(&passage->rest, gif_table_bytes(passage_byte(image, GIF_IMAGE - 1)) + CODE_SIZE, &more))
		return false;
	image.length += more.length;
	if (!take_blocks(&passage->rest, &image))
		return false;
	passage_copy(passage, image);
	return true;
}

/* Raw, without blocks, and behind it bytes that lead a reader who takes it for
 * blocks to the end, wherever he comes out (XMP specification part 3, 1.1.2). */
static void
add_packet_to_gif(struct passage *passage)
{
	if (passage->packet.length == 0)
		return;
	text_add(passage->out, "!\xFF\x0BXMP DataXMP");
	passage_copy(passage, passage->packet);
	text_add_char(passage->out, 1);
	for (int i = 255; i >= 0; i--)
		text_add_char(passage->out, (char)i);
	text_add_char(passage->out, 0);
}

bool
rewrap_gif(struct passage *passage)
{
	enum { EXTENSION = '!', IMAGE = ',', TRAILER = ';' };
	struct span header;

	/* GIF87a has no extensions, so no packet either. */
	if (!passage_begins_with(passage->rest, "GIF89a", 6) &&
	    !(passage_begins_with(passage->rest, "GIF87a", 6) && passage->packet.length == 0))
		return false;
	if (!passage_take(&passage->rest, GIF_HEADER, &header))
		return false;
	passage_copy(passage, header);
	if (!passage_take_and_copy(passage, gif_table_bytes(passage_byte(header, GIF_FLAGS_AT))))
		return false;
	while (passage->rest.length > 0)
		switch (passage_byte(passage->rest, 0)) {
		case EXTENSION:
			if (!copy_gif_extension(passage))
				return false;
			break;
		case IMAGE:
			if (!copy_gif_image(passage))
				return false;
			break;
		case TRAILER:
			add_packet_to_gif(passage);
			text_add_char(passage->out, TRAILER);
			return true;
		default:
			return false;
		}
	return false;
}
