#include "origin/s3_body.h"

#include "base/digest.h"
#include "origin/crc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BASE64_MAX = 44 };	/* of a SHA-256, with its padding */

/* ---- the checksums that can be asked for --------------------------------------------- */

/* Base64 of exactly `length` bytes, with padding (RFC 4648 section 4).  False for
 * anything else, such as a checksum over parts: "base64-3". */
static bool
read_base64(struct span text, unsigned char *bytes, size_t length)
{
	char url_text[BASE64_MAX];

	if (text.length != (length + 2) / 3 * 4 || text.length > sizeof(url_text))
		return false;
	for (; text.length > 0 && text.at[text.length - 1] == '='; text.length--)
		;
	for (size_t i = 0; i < text.length; i++)
		url_text[i] = text.at[i] == '+' ? '-' : text.at[i] == '/' ? '_' : text.at[i];
	return base64url_parse(span_range(url_text, text.length), bytes, length);
}

static enum s3_body_answer
compare(bool was_read, const unsigned char *told, const unsigned char *found, size_t length)
{
	if (!was_read)
		return S3_BODY_IS_UNREADABLE;
	return memcmp(told, found, length) == 0 ? S3_BODY_IS_GOOD : S3_BODY_IS_DAMAGED;
}

static enum s3_body_answer
compare_crc(const struct crc *crc, int fd, const unsigned char *told)
{
	unsigned char found[8];
	uint64_t value = 0;
	bool was_read = crc_of_file(crc, fd, &value);

	for (unsigned i = 0; i < crc->bytes; i++)
		found[i] = (unsigned char)(value >> (8 * (crc->bytes - 1 - i)));
	return compare(was_read, told, found, crc->bytes);
}

/* False when the answer tells none that we can compare. */
static bool
compare_checksum(const struct http_response *response, int fd, enum s3_body_answer *answer)
{
	/* The cheapest first. */
	static const struct { const char *name; const struct crc *crc; } crcs[] = {
		{ "x-amz-checksum-crc64nvme", &crc64nvme }, { "x-amz-checksum-crc32c", &crc32c },
		{ "x-amz-checksum-crc32", &crc32 },
	};
	unsigned char told[SHA256_BYTES], found[SHA256_BYTES];
	struct span text;

	for (size_t i = 0; i < sizeof(crcs) / sizeof(crcs[0]); i++)
		if (http_response_header(response, crcs[i].name, &text) &&
		    read_base64(text, told, crcs[i].crc->bytes)) {
			*answer = compare_crc(crcs[i].crc, fd, told);
			return true;
		}
	if (!http_response_header(response, "x-amz-checksum-sha256", &text) ||
	    !read_base64(text, told, SHA256_BYTES))
		return false;
	*answer = compare(sha256_of_file(fd, found), told, found, SHA256_BYTES);
	return true;
}

/* ---- the ETag ------------------------------------------------------------------------ */

static bool
etag_is_of_the_bytes(const struct http_response *response)
{
	struct span text;

	if (http_response_header(response, "x-amz-server-side-encryption-customer-algorithm", &text))
		return false;
	return !http_response_header(response, "x-amz-server-side-encryption", &text) || span_equals(text, "AES256");
}

static bool
compare_etag(const struct http_response *response, int fd, enum s3_body_answer *answer)
{
	unsigned char digest[MD5_BYTES];
	char found[MD5_HEX + 1];
	struct span etag;
	bool was_read;

	if (!http_response_header(response, "etag", &etag) || etag.length != MD5_HEX + 2 ||
	    etag.at[0] != '"' || etag.at[MD5_HEX + 1] != '"' || !etag_is_of_the_bytes(response))
		return false;
	etag = span_range(etag.at + 1, MD5_HEX);
	for (size_t i = 0; i < etag.length; i++)
		if (strchr("0123456789abcdefABCDEF", etag.at[i]) == NULL)
			return false;
	was_read = md5_of_file(fd, digest);
	if (!was_read && errno == ENOTSUP)
		return false;
	hex_print(digest, sizeof(digest), found);
	*answer = !was_read ? S3_BODY_IS_UNREADABLE
	    : span_equals_ignoring_case(etag, found) ? S3_BODY_IS_GOOD : S3_BODY_IS_DAMAGED;
	return true;
}

/* ---- what has no checksum ------------------------------------------------------------ */

static enum s3_body_answer
look_for_error(const struct http_response *response, int fd, struct s3_error *error)
{
	static char text[HTTP_ERROR_BODY_MAX];
	ssize_t got;

	if (response->bytes > sizeof(text))
		return S3_BODY_IS_GOOD;
	got = pread(fd, text, sizeof(text), 0);
	if (got == -1)
		return S3_BODY_IS_UNREADABLE;
	s3_error_parse(span_range(text, (size_t)got), error);
	return error->code[0] != '\0' ? S3_BODY_IS_ERROR : S3_BODY_IS_GOOD;
}

enum s3_body_answer
s3_body_check(const struct http_response *response, bool etag_is_md5, int fd, struct s3_error *error)
{
	enum s3_body_answer answer;

	if (compare_checksum(response, fd, &answer) || (etag_is_md5 && compare_etag(response, fd, &answer)))
		return answer;
	return look_for_error(response, fd, error);
}
