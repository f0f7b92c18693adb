/*
 * fuzz_fastcgi_head - what a peer says.  The verdict does not depend on how it is cut into
 * pieces, the first byte of the input, and what is found to be a request is one to libfcgi.
 */
#include "base/check.h"
#include "fcgi-app/fastcgi_head.h"

#include <fcgiapp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static enum head_verdict
take_in_pieces(struct fastcgi_head *head, const uint8_t *bytes, size_t size, size_t piece, struct failure *why)
{
	enum head_verdict verdict = HEAD_MORE;

	fastcgi_head_init(head);
	for (size_t at = 0; at < size && verdict == HEAD_MORE; at += piece) {
		verdict = fastcgi_head_take(head, bytes + at, piece < size - at ? piece : size - at, why);
		CHECK(head->bytes <= at + piece && head->bytes <= FASTCGI_HEAD_MAX + FASTCGI_HEADER_BYTES);
	}
	CHECK((verdict == HEAD_WRONG) == (why->kind == FAIL_BAD_REQUEST));
	return verdict;
}

/* As fastcgi.c does it. */
static void
check_libfcgi_takes(const uint8_t *bytes, size_t size)
{
	int file = memfd_create("request", MFD_CLOEXEC);
	FCGX_Request request;

	CHECK(file != -1 && pwrite(file, bytes, size, 0) == (ssize_t)size);
	CHECK(FCGX_Init() == 0 && FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR) == 0);
	request.ipcFd = file;
	request.keepConnection = 1;
	CHECK(FCGX_Accept_r(&request) == 0 && request.role == 1);
	/* It has read it all, but for padding, and wants no more. */
	CHECK(lseek(file, 0, SEEK_CUR) >= (off_t)size - 255 && FCGX_GetError(request.in) == 0);
	FCGX_Free(&request, 0);
	close(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct failure why = { 0 }, why_in_pieces = { 0 };
	struct fastcgi_head head, in_pieces;
	enum head_verdict verdict;

	if (size < 2)
		return 0;
	verdict = take_in_pieces(&head, bytes + 1, size - 1, size, &why);
	CHECK(take_in_pieces(&in_pieces, bytes + 1, size - 1, 1 + bytes[0], &why_in_pieces) == verdict);
	CHECK(verdict == HEAD_WRONG || (in_pieces.bytes == head.bytes && in_pieces.body_bytes == head.body_bytes));
	CHECK(strcmp(why.detail, why_in_pieces.detail) == 0);
	if (verdict == HEAD_COMPLETE)
		check_libfcgi_takes(bytes + 1, head.bytes);
	return 0;
}
