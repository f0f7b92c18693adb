/*
 * fastcgi_head - whether what a peer says is one request, before libfcgi reads it.
 *
 * FastCGI 1.0, https://fastcgi-archives.github.io/FastCGI_Specification.html, sections 3 to 6:
 * the begin of a request for a responder, parameters up to an empty record, a body up to an
 * empty record, all of one id and nothing between them.  libfcgi allocates what a length says,
 * aborts when that is too much, writes beyond a buffer for management records, and loses its
 * place behind a padded begin; none of these gets past here.  Bytes in, verdict out: nothing
 * is read, kept or allocated.
 */
#ifndef FCGI_APP_FASTCGI_HEAD_H
#define FCGI_APP_FASTCGI_HEAD_H

#include "base/failure.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	/* With all around the parameters.  Apache lets 100 headers of 8190 bytes pass;
	 * nginx much less. */
	FASTCGI_HEAD_MAX = 1 << 20,
	/* Requests have no body.  What comes nevertheless is read, because closing with
	 * unread bytes would take the answer from the peer. */
	FASTCGI_BODY_MAX = 1 << 20,
	FASTCGI_HEADER_BYTES = 8,
	FASTCGI_BEGIN_BYTES = 8
};

enum fastcgi_record {
	FASTCGI_NO_RECORD, FASTCGI_BEGIN_REQUEST, FASTCGI_ABORT_REQUEST, FASTCGI_END_REQUEST,
	FASTCGI_PARAMS, FASTCGI_STDIN
};

struct fastcgi_head {
	size_t bytes;			/* seen, up to the end of the empty record behind the parameters */
	size_t body_bytes;
	unsigned id;
	bool has_foreign_role;		/* the peer may be told */

	/* Where in the records we are. */
	unsigned expected;		/* type of this record or the next */
	unsigned char header[FASTCGI_HEADER_BYTES], begin[FASTCGI_BEGIN_BYTES];
	size_t header_bytes, content_left, padding_left;

	/* Where in the parameters. */
	size_t length, length_bytes_left, lengths, pair_left;
};

enum head_verdict { HEAD_MORE, HEAD_COMPLETE, HEAD_WRONG };

/* For the next request: all that was said is forgotten. */
void fastcgi_head_init(struct fastcgi_head *head);

/* What came next, in pieces of any size.  HEAD_WRONG fills *why: FAIL_BAD_REQUEST.  What is
 * behind a complete request is not looked at; who sends it keeps no connection. */
enum head_verdict fastcgi_head_take(struct fastcgi_head *head, const unsigned char *bytes, size_t length,
    struct failure *why);

#endif
