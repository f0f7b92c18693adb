/*
 * rewrap_passage - a file on its way through rewrap(), and the steps that all
 * formats share.  Private to rewrap*.c.
 */
#ifndef IMAGE_REWRAP_PASSAGE_H
#define IMAGE_REWRAP_PASSAGE_H

#include "image/rewrap.h"

struct passage {
	struct span rest;	/* what is still to be read */
	struct span packet;	/* XMP that is still to be put in; length 0: none */
	struct text *out;
	bool keeps_profile;
};

/* The caller has made sure that these bytes are there. */
unsigned char passage_byte(struct span span, size_t at);
uint32_t passage_number(struct span span, size_t at, unsigned bytes);	/* big-endian */
bool passage_begins_with(struct span span, const char *bytes, size_t length);

/* Cuts the next so many bytes off *rest; false when there are fewer. */
bool passage_take(struct span *rest, size_t length, struct span *taken);

void passage_copy(struct passage *passage, struct span bytes);
bool passage_take_and_copy(struct passage *passage, size_t length);
void passage_add_number(struct passage *passage, uint32_t value, unsigned bytes);	/* big-endian */

bool rewrap_jpeg(struct passage *passage);
bool rewrap_gif(struct passage *passage);

#endif
