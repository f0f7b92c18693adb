#include "base/failure.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[FAIL_KIND_COUNT] = {
	[FAIL_NONE] = "none",
	[FAIL_BAD_REQUEST] = "bad-request",
	[FAIL_FORBIDDEN] = "forbidden",
	[FAIL_NOT_FOUND] = "not-found",
	[FAIL_METHOD] = "method",
	[FAIL_GONE] = "gone",
	[FAIL_UNSUPPORTED] = "unsupported",
	[FAIL_UNPROCESSABLE] = "unprocessable",
	[FAIL_CRASHED] = "crashed",
	[FAIL_BUSY] = "busy",
	[FAIL_UNAVAILABLE] = "unavailable",
	[FAIL_UPSTREAM] = "upstream",
	[FAIL_TIMEOUT] = "timeout",
	[FAIL_INTERNAL] = "internal",
	[FAIL_ABANDONED] = "abandoned",
};

bool
fail(struct failure *why, enum failure_kind kind, const char *format, ...)
{
	va_list args;

	CHECK(why->kind == FAIL_NONE);
	CHECK(kind > FAIL_NONE && kind < FAIL_KIND_COUNT);
	why->kind = kind;
	va_start(args, format);
	vsnprintf(why->detail, sizeof(why->detail), format, args);
	va_end(args);
	return false;
}

void
failure_clear(struct failure *why)
{
	why->kind = FAIL_NONE;
	why->detail[0] = '\0';
}

const char *
failure_kind_name(enum failure_kind kind)
{
	CHECK(kind >= FAIL_NONE && kind < FAIL_KIND_COUNT);
	return kind_names[kind];
}

enum failure_kind
failure_kind_find(const char *name)
{
	for (enum failure_kind kind = FAIL_NONE; kind < FAIL_KIND_COUNT; kind++)
		if (strcmp(kind_names[kind], name) == 0)
			return kind;
	return FAIL_NONE;
}
