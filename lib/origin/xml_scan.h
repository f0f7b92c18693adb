/*
 * xml_scan - walks through the small XML documents that S3 answers with.
 *
 * The subset that S3 writes: one declaration, elements, attributes (skipped),
 * text with entities.  Everything else is malformed, and stays so: comments,
 * CDATA, processing instructions, document types (so no entity can be defined
 * and none can expand), tags that do not match, text outside the root, more
 * than XML_DEPTH_MAX levels.  Nothing is allocated: all answers are views of
 * the document, whose size the caller has bounded.
 */
#ifndef ORIGIN_XML_SCAN_H
#define ORIGIN_XML_SCAN_H

#include "base/text.h"

#include <stdbool.h>

enum { XML_DEPTH_MAX = 8 };

enum xml_token {
	XML_OPEN,		/* <name>: scan->name[scan->depth - 1] */
	XML_TEXT,		/* raw text between tags, entities not yet resolved */
	XML_CLOSE,		/* </name>, or the end of <name/>; depth is already that of the parent */
	XML_END,		/* the root element was closed and nothing follows */
	XML_MALFORMED
};

struct xml_scan {
	struct span rest;
	struct span name[XML_DEPTH_MAX];	/* the open elements, root first, with any prefix */
	unsigned depth;
	struct span text;		/* of XML_TEXT */
	bool root_was_closed;
	bool is_empty_element;		/* <name/> was opened: its XML_CLOSE comes next */
};

/* Skips a byte order mark and the XML declaration. */
void xml_scan_init(struct xml_scan *scan, struct span document);

enum xml_token xml_scan_next(struct xml_scan *scan);

/* Whether the innermost open element is called this, `depth` levels deep. */
bool xml_scan_is_in(const struct xml_scan *scan, unsigned depth, const char *name);

/* Text with its entities resolved: the five of XML, and numbers, as UTF-8.
 * False for any other entity and for a number that is no character. */
bool xml_text_decode(struct span raw, struct text *out) __attribute__((warn_unused_result));

#endif
