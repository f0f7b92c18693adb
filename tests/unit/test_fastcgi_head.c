/* test_fastcgi_head - what web servers say, and what nobody should. */
#include "fcgi-app/fastcgi_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

#define BEGIN "\1\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0"
#define PARAMS "\1\4\0\1\0\6\2\0" "\1\3Axyz" "--"		/* A=xyz, padded */
#define NO_PARAMS "\1\4\0\1\0\0\0\0"
#define BODY "\1\5\0\1\0\3\1\0" "xyz" "-"
#define NO_BODY "\1\5\0\1\0\0\0\0"

struct head_case {
	const unsigned char *said;
	size_t length;
	enum head_verdict verdict;
	size_t head_bytes;		/* if complete */
	const char *reason;		/* if wrong */
};

static const struct head_case cases[] = {
	{ BYTES(""), HEAD_MORE, 0, NULL },
	{ BYTES("\1"), HEAD_MORE, 0, NULL },
	{ BYTES(BEGIN), HEAD_MORE, 0, NULL },
	{ BYTES(BEGIN PARAMS), HEAD_MORE, 0, NULL },
	{ BYTES(BEGIN PARAMS NO_PARAMS), HEAD_MORE, 0, NULL },
	{ BYTES(BEGIN PARAMS NO_PARAMS BODY), HEAD_MORE, 0, NULL },
	{ BYTES(BEGIN NO_PARAMS NO_BODY), HEAD_COMPLETE, 24, NULL },
	{ BYTES(BEGIN PARAMS NO_PARAMS NO_BODY), HEAD_COMPLETE, 40, NULL },
	{ BYTES(BEGIN PARAMS NO_PARAMS BODY BODY NO_BODY), HEAD_COMPLETE, 40, NULL },
	{ BYTES(BEGIN PARAMS NO_PARAMS NO_BODY "whatever"), HEAD_COMPLETE, 40, NULL },
	/* A flag to keep the connection; a large id; padding where there is no content. */
	{ BYTES("\1\1\0\1\0\10\0\0" "\0\1\1\0\0\0\0\0" NO_PARAMS NO_BODY), HEAD_COMPLETE, 24, NULL },
	{ BYTES("\1\1\377\1\0\10\0\0" "\0\1\0\0\0\0\0\0" "\1\4\377\1\0\0\0\0" "\1\5\377\1\0\0\0\0"), HEAD_COMPLETE, 24, NULL },
	{ BYTES(BEGIN "\1\4\0\1\0\0\3\0---" NO_BODY), HEAD_COMPLETE, 27, NULL },
	/* Parameters that end in the midst of a length, a name and a value; without a name; long lengths. */
	{ BYTES(BEGIN "\1\4\0\1\0\3\0\0" "\200\0\0" "\1\4\0\1\0\4\0\0" "\2\3AA" "\1\4\0\1\0\3\0\0" "xyz" NO_PARAMS
	    NO_BODY), HEAD_COMPLETE, 58, NULL },
	{ BYTES(BEGIN "\1\4\0\1\0\2\0\0" "\0\0" NO_PARAMS NO_BODY), HEAD_COMPLETE, 34, NULL },
	{ BYTES(BEGIN "\1\4\0\1\0\12\0\0" "\200\0\0\1\200\0\0\1Ax" NO_PARAMS NO_BODY), HEAD_COMPLETE, 42, NULL },

	{ BYTES("GET / HTTP/1.1\r\n\r\n"), HEAD_WRONG, 0, "this is no FastCGI" },
	{ BYTES("\2"), HEAD_WRONG, 0, "this is no FastCGI" },
	{ BYTES("\1\1\0\0\0\10\0\0"), HEAD_WRONG, 0, "a malformed begin of a request" },
	{ BYTES("\1\1\0\1\0\7\0\0"), HEAD_WRONG, 0, "a malformed begin of a request" },
	{ BYTES("\1\1\0\1\0\10\1\0"), HEAD_WRONG, 0, "a malformed begin of a request" },
	{ BYTES("\1\1\0\1\0\10\0\0" "\0\2\0\0\0\0\0\0"), HEAD_WRONG, 0, "role 2, which is not that of a responder" },
	{ BYTES("\1\11\0\0\0\0\0\0"), HEAD_WRONG, 0, "a record of type 9, not 1" },
	{ BYTES(BEGIN BEGIN), HEAD_WRONG, 0, "a record of type 1, not 4" },
	{ BYTES(BEGIN PARAMS NO_BODY), HEAD_WRONG, 0, "a record of type 5, not 4" },
	{ BYTES(BEGIN NO_PARAMS PARAMS), HEAD_WRONG, 0, "a record of type 4, not 5" },
	{ BYTES(BEGIN PARAMS "\1\2\0\1\0\0\0\0"), HEAD_WRONG, 0, "the web server aborted its request" },
	{ BYTES(BEGIN "\1\4\0\2\0\0\0\0"), HEAD_WRONG, 0, "records of two requests on one connection" },
	{ BYTES(BEGIN "\1\4\0\1\0\1\0\0" "\0" NO_PARAMS), HEAD_WRONG, 0, "parameters that end before their lengths say" },
	{ BYTES(BEGIN "\1\4\0\1\0\2\0\0" "\0\200" NO_PARAMS), HEAD_WRONG, 0,
	    "parameters that end before their lengths say" },
	{ BYTES(BEGIN "\1\4\0\1\0\3\0\0" "\1\1A" NO_PARAMS), HEAD_WRONG, 0,
	    "parameters that end before their lengths say" },
	{ BYTES(BEGIN "\1\4\0\1\0\10\0\0" "\377\377\377\377\377\377\377\377"), HEAD_WRONG, 0,
	    "a parameter of 4294967294 bytes" },
};

static void
check(const struct head_case *wanted, size_t piece)
{
	enum head_verdict verdict = HEAD_MORE;
	struct failure why = { 0 };
	struct fastcgi_head head;

	fastcgi_head_init(&head);
	for (size_t at = 0; at < wanted->length && verdict == HEAD_MORE; at += piece)
		verdict = fastcgi_head_take(&head, wanted->said + at,
		    piece < wanted->length - at ? piece : wanted->length - at, &why);
	if (verdict != wanted->verdict || strcmp(why.detail, wanted->reason != NULL ? wanted->reason : "") != 0 ||
	    (verdict == HEAD_COMPLETE && head.bytes != wanted->head_bytes))
		fail_msg("case %zu in pieces of %zu: verdict %d, head of %zu bytes, '%s'", (size_t)(wanted - cases),
		    piece, (int)verdict, head.bytes, why.detail);
}

static void
test_tells_requests_from_what_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= 64; piece++)
			check(&cases[i], piece);
}

/* The same record again and again until it is too much; how many times it was taken. */
static size_t
count_taken(const unsigned char *before, size_t length, unsigned char type, struct failure *why)
{
	enum { CONTENT = 1000 };
	unsigned char record[FASTCGI_HEADER_BYTES + CONTENT] = { 1, type, 0, 1, CONTENT >> 8, CONTENT & 255 };
	struct fastcgi_head head;
	size_t taken = 0;

	fastcgi_head_init(&head);
	assert_int_equal(fastcgi_head_take(&head, before, length, why), HEAD_MORE);
	while (fastcgi_head_take(&head, record, sizeof(record), why) == HEAD_MORE)
		taken++;
	return taken;
}

static void
test_knows_how_much_is_too_much(void **state)
{
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(count_taken(BYTES(BEGIN), FASTCGI_PARAMS, &why), (FASTCGI_HEAD_MAX - 16) / 1008);
	assert_string_equal(why.detail, "more than 1048576 bytes of parameters");
	failure_clear(&why);
	assert_int_equal(count_taken(BYTES(BEGIN NO_PARAMS), FASTCGI_STDIN, &why), FASTCGI_BODY_MAX / 1000);
	assert_string_equal(why.detail, "a body of more than 1048576 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells_requests_from_what_is_none),
		cmocka_unit_test(test_knows_how_much_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
