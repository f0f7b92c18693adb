/*
 * s3_error - what an unsuccessful answer of S3 means, and what can be done.
 *
 * One table, from the HTTP status and the <Code> of the body to a failure kind
 * and an action.  A 404 counts as a missing object only when the body says so:
 * a proxy or a wrong endpoint also answers 404, and must not make every asset
 * look deleted.  AccessDenied is an upstream failure although S3 also says it
 * for missing keys to who may not list the bucket: grant s3:ListBucket.
 */
#ifndef ORIGIN_S3_ERROR_H
#define ORIGIN_S3_ERROR_H

#include "base/failure.h"
#include "base/text.h"

#include <stdbool.h>

enum { S3_CODE_MAX = 64, S3_REGION_MAX = 32 };

struct s3_error {
	char code[S3_CODE_MAX + 1];	/* "" when the body does not tell */
	char region[S3_REGION_MAX + 1];	/* <Region>, where the bucket really is; mostly "" */
};

/* Reads an <Error> document, however damaged: what is not there stays "".
 * Codes are [A-Za-z0-9.]+, regions [a-z0-9-]+; others are ignored. */
void s3_error_parse(struct span body, struct s3_error *error);

/* Whether it can be part of a host name and a signature. */
bool s3_region_is_valid(struct span region);

enum s3_action {
	S3_GIVE_UP,
	S3_TRY_AGAIN,		/* later, on another connection */
	S3_FIX_CLOCK,		/* take the time from the answer, once */
	S3_FIX_REGION,		/* sign for the region that the answer names, once */
	S3_FIX_CREDENTIALS	/* read them again, once */
};

/* The kind is never FAIL_NONE; `code` may be "". */
enum s3_action s3_error_judge(unsigned status, const char *code, enum failure_kind *kind);

#endif
