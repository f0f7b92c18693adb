/*
 * fuzz_s3_body - whether an object is what the answer's headers say: headers, a blank line, the object.
 *
 * The checksums that belong to an object are found the slow way, and taken for good in every one of the
 * places where S3 may write them; none of them is good for an object with another bit.
 */
#include "base/check.h"
#include "base/digest.h"
#include "origin/s3_body.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { LINE_MAX = 128, BASE64_MAX = 64 };

static int
file_of(struct span content)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	CHECK(fd != -1 && write(fd, content.at, content.length) == (ssize_t)content.length);
	return fd;
}

static enum s3_body_answer
check(struct span headers, struct span object, bool etag_is_md5, struct s3_error *error)
{
	struct http_response response = { .status = 200, .bytes = object.length };
	struct arena *arena = arena_new();
	int fd = file_of(object);
	enum s3_body_answer answer;

	text_init(&response.headers, arena, HTTP_HEADERS_MAX);
	text_add_bytes(&response.headers, headers.at, headers.length);
	answer = s3_body_check(&response, etag_is_md5, fd, error);
	CHECK(answer != S3_BODY_IS_UNREADABLE);
	close(fd);
	arena_free(arena);
	return answer;
}

/* ---- what the right checksums are ------------------------------------------------------ */

/* One bit at a time; `polynomial` with its bits in reverse. */
static uint64_t
crc_of(struct span object, uint64_t polynomial, unsigned bits)
{
	uint64_t ones = bits == 64 ? UINT64_MAX : UINT32_MAX, value = ones;

	for (size_t i = 0; i < object.length; i++) {
		value ^= (unsigned char)object.at[i];
		for (unsigned bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? polynomial : 0);
	}
	return value ^ ones;
}

/* RFC 4648 section 4. */
static void
print_base64(const unsigned char *bytes, size_t length, char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned group;

	for (size_t i = 0; i < length; i += 3, text += 4) {
		group = bytes[i] << 16 | (i + 1 < length ? bytes[i + 1] << 8 : 0) | (i + 2 < length ? bytes[i + 2] : 0);
		for (unsigned digit = 0; digit < 4; digit++)
			text[digit] = i + digit > length ? '=' : digits[group >> (18 - 6 * digit) & 63];
	}
	*text = '\0';
}

static void
check_line(const char *line, struct span object, struct span other)
{
	struct s3_error error;

	CHECK(check(span_of(line), object, true, &error) == S3_BODY_IS_GOOD);
	if (other.length > 0)
		CHECK(check(span_of(line), other, true, &error) == S3_BODY_IS_DAMAGED);
}

static void
check_checksum(const char *name, const unsigned char *bytes, size_t length, struct span object, struct span other)
{
	char base64[BASE64_MAX], line[LINE_MAX];

	print_base64(bytes, length, base64);
	snprintf(line, sizeof(line), "%s: %s\r\n", name, base64);
	check_line(line, object, other);
}

static void
check_crc(const char *name, uint64_t polynomial, unsigned bits, struct span object, struct span other)
{
	uint64_t value = crc_of(object, polynomial, bits);
	unsigned char bytes[8];

	for (unsigned i = 0; i < bits / 8; i++)
		bytes[i] = (unsigned char)(value >> (bits - 8 - 8 * i));
	check_checksum(name, bytes, bits / 8, object, other);
}

static void
check_digests(struct span object, struct span other)
{
	unsigned char sha256[SHA256_BYTES], md5[MD5_BYTES];
	char hex[MD5_HEX + 1], line[LINE_MAX];
	int fd = file_of(object);

	CHECK(sha256_of_file(fd, sha256) && md5_of_file(fd, md5));
	close(fd);
	check_checksum("x-amz-checksum-sha256", sha256, sizeof(sha256), object, other);
	hex_print(md5, sizeof(md5), hex);
	snprintf(line, sizeof(line), "ETag: \"%s\"\r\n", hex);
	check_line(line, object, other);
}

/* The first byte of the object says which bit of it the other one has different. */
static void
check_right_ones(struct span object, struct arena *arena)
{
	char *changed = arena_copy_bytes(arena, object.at, object.length);
	struct span other = span_range(changed, object.length);
	unsigned char first = object.length > 0 ? (unsigned char)object.at[0] : 0;

	if (object.length > 0)
		changed[first % object.length] ^= (char)(1 << first % 8);
	/* The Rocksoft parameters of CRC-32/ISO-HDLC, CRC-32/ISCSI and CRC-64/NVME. */
	check_crc("x-amz-checksum-crc32", 0xedb88320, 32, object, other);
	check_crc("X-Amz-Checksum-Crc32c", 0x82f63b78, 32, object, other);
	check_crc("x-amz-checksum-crc64nvme", 0x9a6c9329ac4bc9b5, 64, object, other);
	check_digests(object, other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *input = (const char *)bytes, *blank = size > 0 ? memmem(input, size, "\n\n", 2) : NULL;
	size_t head = blank != NULL ? (size_t)(blank - input) + 1 : size;
	struct span headers = span_range(input, head);
	struct span object = span_range(input + head + (blank != NULL), size - head - (blank != NULL));
	struct arena *arena = arena_new();
	struct s3_error error;

	if (check(headers, object, false, &error) == S3_BODY_IS_ERROR)
		CHECK(error.code[0] != '\0');
	if (check(headers, object, true, &error) == S3_BODY_IS_ERROR)
		CHECK(error.code[0] != '\0');
	check_right_ones(object, arena);
	arena_free(arena);
	return 0;
}
