#include "fcgi-app/fastcgi_head.h"

#include <string.h>

enum { VERSION = 1, BEGIN_BYTES = FASTCGI_BEGIN_BYTES, ROLE_RESPONDER = 1, LENGTHS_OF_A_PAIR = 2 };

void
fastcgi_head_init(struct fastcgi_head *head)
{
	*head = (struct fastcgi_head){ .expected = FASTCGI_BEGIN_REQUEST };
}

static bool
take_header(struct fastcgi_head *head, struct failure *why)
{
	const unsigned char *header = head->header;
	unsigned type = header[1], id = (unsigned)header[2] << 8 | header[3];

	head->content_left = (size_t)header[4] << 8 | header[5];
	head->padding_left = header[6];
	if (type == FASTCGI_ABORT_REQUEST)
		return fail(why, FAIL_BAD_REQUEST, "the web server aborted its request");
	if (type != head->expected)
		return fail(why, FAIL_BAD_REQUEST, "a record of type %u, not %u", type, head->expected);
	if (type == FASTCGI_BEGIN_REQUEST) {
		head->id = id;
		return (head->content_left == BEGIN_BYTES && head->padding_left == 0 && id != 0) ||
		    fail(why, FAIL_BAD_REQUEST, "a malformed begin of a request");
	}
	if (id != head->id)
		return fail(why, FAIL_BAD_REQUEST, "records of two requests on one connection");
	if (type == FASTCGI_PARAMS)
		return head->bytes + head->content_left + head->padding_left <= FASTCGI_HEAD_MAX ||
		    fail(why, FAIL_BAD_REQUEST, "more than %u bytes of parameters", FASTCGI_HEAD_MAX);
	return head->body_bytes + head->content_left <= FASTCGI_BODY_MAX ||
	    fail(why, FAIL_BAD_REQUEST, "a body of more than %u bytes", FASTCGI_BODY_MAX);
}

/* Section 3.4: a length is one byte, or four that begin with a bit; first the name's, then
 * the value's, then both texts.  Records may end anywhere in them. */
static bool
follow_pairs(struct fastcgi_head *head, const unsigned char *at, size_t count, struct failure *why)
{
	while (count > 0) {
		size_t step = 1;

		if (head->lengths == LENGTHS_OF_A_PAIR) {
			step = head->pair_left < count ? head->pair_left : count;
			head->pair_left -= step;
		} else if (head->length_bytes_left > 0) {
			head->length_bytes_left--;
			head->length = head->length << 8 | *at;
		} else {
			head->length_bytes_left = *at >= 0x80 ? 3 : 0;
			head->length = *at & 0x7f;
		}
		at += step;
		count -= step;
		if (head->lengths < LENGTHS_OF_A_PAIR && head->length_bytes_left == 0) {
			head->pair_left += head->length;
			head->lengths++;
		}
		if (head->lengths == LENGTHS_OF_A_PAIR && head->pair_left > FASTCGI_HEAD_MAX)
			return fail(why, FAIL_BAD_REQUEST, "a parameter of %zu bytes", head->pair_left);
		if (head->lengths == LENGTHS_OF_A_PAIR && head->pair_left == 0)
			head->lengths = 0;
	}
	return true;
}

static bool
take_content(struct fastcgi_head *head, const unsigned char *at, size_t count, struct failure *why)
{
	if (head->expected == FASTCGI_BEGIN_REQUEST)
		memcpy(head->begin + BEGIN_BYTES - head->content_left, at, count);
	if (head->expected == FASTCGI_STDIN)
		head->body_bytes += count;
	head->content_left -= count;
	return head->expected != FASTCGI_PARAMS || follow_pairs(head, at, count, why);
}

static bool
end_record(struct fastcgi_head *head, struct failure *why)
{
	bool is_empty = head->header[4] == 0 && head->header[5] == 0;
	unsigned role = (unsigned)head->begin[0] << 8 | head->begin[1];

	head->header_bytes = 0;
	if (head->expected == FASTCGI_BEGIN_REQUEST) {
		head->expected = FASTCGI_PARAMS;
		head->has_foreign_role = role != ROLE_RESPONDER;
		return !head->has_foreign_role ||
		    fail(why, FAIL_BAD_REQUEST, "role %u, which is not that of a responder", role);
	}
	if (!is_empty)
		return true;
	if (head->expected == FASTCGI_STDIN) {
		head->expected = FASTCGI_NO_RECORD;
		return true;
	}
	head->expected = FASTCGI_STDIN;
	return (head->lengths == 0 && head->length_bytes_left == 0) ||
	    fail(why, FAIL_BAD_REQUEST, "parameters that end before their lengths say");
}

/* One byte of a header, or what is there of content or padding. */
static bool
take_some(struct fastcgi_head *head, const unsigned char *at, size_t count, size_t *taken, struct failure *why)
{
	size_t *left = head->content_left > 0 ? &head->content_left : &head->padding_left;
	bool is_header = head->header_bytes < FASTCGI_HEADER_BYTES;

	*taken = is_header ? 1 : *left < count ? *left : count;
	if (head->expected != FASTCGI_STDIN)
		head->bytes += *taken;
	if (!is_header && left == &head->content_left)
		return take_content(head, at, *taken, why);
	if (!is_header) {
		head->padding_left -= *taken;
		return true;
	}
	head->header[head->header_bytes++] = *at;
	if (head->header[0] != VERSION)
		return fail(why, FAIL_BAD_REQUEST, "this is no FastCGI");
	return head->header_bytes < FASTCGI_HEADER_BYTES || take_header(head, why);
}

enum head_verdict
fastcgi_head_take(struct fastcgi_head *head, const unsigned char *bytes, size_t length, struct failure *why)
{
	size_t at = 0;

	for (size_t taken; at < length && head->expected != FASTCGI_NO_RECORD; at += taken) {
		if (!take_some(head, bytes + at, length - at, &taken, why))
			return HEAD_WRONG;
		if (head->header_bytes == FASTCGI_HEADER_BYTES && head->content_left == 0 &&
		    head->padding_left == 0 && !end_record(head, why))
			return HEAD_WRONG;
	}
	return head->expected == FASTCGI_NO_RECORD ? HEAD_COMPLETE : HEAD_MORE;
}
