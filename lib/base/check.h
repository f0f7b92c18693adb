/*
 * check - the assertion that is always compiled in.
 *
 * CHECK(condition) states what can only be false through a bug of ours.  It
 * writes one line on standard error and aborts: the request is lost, the
 * process is replaced, and nothing wrong is sent.  What a client, an origin or
 * the machine can cause is never a CHECK but a struct failure (failure.h).
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define CHECK(condition) \
	((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
