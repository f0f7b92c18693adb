/*
 * digest - SHA-256, HMAC-SHA-256, checksums, and their texts.
 *
 * SHA-256 and HMAC come from OpenSSL and serve identities and signatures;
 * XXH3 comes from xxhash and only detects damaged files.  Nothing here fails:
 * a hash function that cannot be set up ends the process.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 64 };

void sha256(const void *bytes, size_t length, unsigned char digest[SHA256_BYTES]);
void hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
    unsigned char mac[SHA256_BYTES]);

/* From offset 0 to the end of the file; the file position is not moved.
 * False when reading fails (errno says why). */
bool sha256_of_file(int fd, unsigned char digest[SHA256_BYTES]) __attribute__((warn_unused_result));

/* The same.  MD5 keeps nobody out: it compares bytes with what S3 and others made
 * of them.  ENOTSUP where OpenSSL may not use it (FIPS). */
enum { MD5_BYTES = 16, MD5_HEX = 32 };
bool md5_of_file(int fd, unsigned char digest[MD5_BYTES]) __attribute__((warn_unused_result));

/* XXH3, 64 bits, of the whole file; the file position is not moved.  Another
 * seed gives another checksum of the same bytes. */
bool checksum_of_file(int fd, uint64_t seed, uint64_t *checksum) __attribute__((warn_unused_result));
uint64_t checksum_of_bytes(const void *bytes, size_t length, uint64_t seed);

/*
 * The name of a thing in the store and among the peers: the first 128 bits of
 * the SHA-256 of a text, as 32 hex digits.  Client text never becomes a file
 * name or a memcached key in any other form.
 */
enum { KEY_HEX = 32 };

struct key {
	char hex[KEY_HEX + 1];
};

struct key key_of(struct span text);

/* out has room for 2 * length + 1 characters. */
void hex_print(const unsigned char *bytes, size_t length, char *out);

/* Base64 with the URL alphabet and no padding, RFC 4648 section 5.
 * Parsing is strict: only canonical texts, of exactly `length` bytes. */
void base64url_print(const unsigned char *bytes, size_t length, struct text *out);
bool base64url_parse(struct span text, unsigned char *bytes, size_t length);

/* In constant time. */
bool digest_equals(const void *a, const void *b, size_t length);

#endif
