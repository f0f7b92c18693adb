/*
 * s3 - originals in a bucket of S3, or of a server that speaks its protocol.
 *
 * Each operation is a few attempts: sign, send, judge the answer (s3_error.h),
 * and try again with jitter on a new connection where that can help, inside
 * the deadline and the process' budget (backoff.h).  Three things are put
 * right once in an operation, without waiting, and remembered in the handle:
 * a wrong region, a clock that is off, and credentials that were renewed.
 *
 * The contract is that of origin.h.
 */
#ifndef ORIGIN_S3_H
#define ORIGIN_S3_H

#include "origin/origin.h"

struct s3;

/* Keeps a pointer to the configuration. */
struct s3 *s3_open(const struct origin_config *config, struct failure *why)
    __attribute__((warn_unused_result));
void s3_close(struct s3 *s3);

bool s3_fetch(struct s3 *s3, const char *key, int fd, struct deadline deadline,
    struct origin_object *object, struct failure *why) __attribute__((warn_unused_result));
bool s3_stat(struct s3 *s3, const char *key, struct deadline deadline,
    struct origin_object *object, struct failure *why) __attribute__((warn_unused_result));
bool s3_put(struct s3 *s3, const char *key, int fd, const char *content_type,
    struct deadline deadline, struct origin_object *object, struct failure *why)
    __attribute__((warn_unused_result));
bool s3_list(struct s3 *s3, const char *prefix, struct deadline deadline,
    bool (*each)(void *state, const char *key, const struct origin_object *object), void *state,
    struct failure *why) __attribute__((warn_unused_result));
bool s3_probe(struct s3 *s3, struct deadline deadline, struct failure *why)
    __attribute__((warn_unused_result));

#endif
