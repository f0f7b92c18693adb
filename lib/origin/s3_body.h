/*
 * s3_body - whether the bytes in a file are the object that S3 keeps.
 *
 * The length is already right (http_client.h).  The first of these that the
 * answer has is compared: x-amz-checksum-crc64nvme, -crc32c, -crc32, -sha256,
 * which S3 tells when asked for; then an ETag that is an MD5.  It is not one when
 * the object was uploaded in parts ("-" and their number stand behind it), nor
 * when its encryption is by KMS or with the client's key; a checksum over parts
 * is written the same way, and neither can be compared.
 *
 * What has no checksum at all may be an error that came with a 200, as from
 * gateways that had begun their answer too early.
 */
#ifndef ORIGIN_S3_BODY_H
#define ORIGIN_S3_BODY_H

#include "origin/http_client.h"
#include "origin/s3_error.h"

#include <stdbool.h>

enum s3_body_answer {
	S3_BODY_IS_GOOD,		/* or cannot be judged */
	S3_BODY_IS_DAMAGED,		/* other bytes than the checksum was made of */
	S3_BODY_IS_ERROR,		/* *error says which */
	S3_BODY_IS_UNREADABLE		/* our file; errno says why */
};

enum s3_body_answer s3_body_check(const struct http_response *response, bool etag_is_md5, int fd,
    struct s3_error *error) __attribute__((warn_unused_result));

#endif
