#include "base/digest.h"

#include "base/check.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { FILE_CHUNK = 256 * 1024 };

/* To look up the algorithm and to make a state takes longer than a short text does. */
void
sha256(const void *bytes, size_t length, unsigned char digest[SHA256_BYTES])
{
	static EVP_MD *kind;
	static EVP_MD_CTX *state;

	if (state == NULL) {
		kind = EVP_MD_fetch(NULL, "SHA256", NULL);
		state = EVP_MD_CTX_new();
		CHECK(kind != NULL && state != NULL);
	}
	CHECK(EVP_DigestInit_ex2(state, kind, NULL) == 1 && EVP_DigestUpdate(state, bytes, length) == 1 &&
	    EVP_DigestFinal_ex(state, digest, NULL) == 1);
}

void
hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
    unsigned char mac[SHA256_BYTES])
{
	CHECK(key_length <= INT32_MAX);
	CHECK(HMAC(EVP_sha256(), key, (int)key_length, bytes, length, mac, NULL) != NULL);
}

/* Hands the file to feed() piece by piece. */
static bool
read_file(int fd, void (*feed)(void *state, const void *bytes, size_t length), void *state)
{
	static unsigned char chunk[FILE_CHUNK];
	off_t offset = 0;
	ssize_t got;

	while ((got = pread(fd, chunk, sizeof(chunk), offset)) > 0) {
		feed(state, chunk, (size_t)got);
		offset += got;
	}
	return got == 0;
}

static void
feed_digest(void *state, const void *bytes, size_t length)
{
	CHECK(EVP_DigestUpdate(state, bytes, length) == 1);
}

static bool
digest_of_file(int fd, const EVP_MD *kind, unsigned char *digest)
{
	EVP_MD_CTX *state = EVP_MD_CTX_new();
	bool was_read;

	CHECK(state != NULL);
	if (EVP_DigestInit_ex(state, kind, NULL) != 1) {
		EVP_MD_CTX_free(state);
		errno = ENOTSUP;
		return false;
	}
	was_read = read_file(fd, feed_digest, state);
	CHECK(EVP_DigestFinal_ex(state, digest, NULL) == 1);
	EVP_MD_CTX_free(state);
	return was_read;
}

bool
sha256_of_file(int fd, unsigned char digest[SHA256_BYTES])
{
	bool was_made = digest_of_file(fd, EVP_sha256(), digest);

	CHECK(was_made || errno != ENOTSUP);
	return was_made;
}

bool
md5_of_file(int fd, unsigned char digest[MD5_BYTES])
{
	return digest_of_file(fd, EVP_md5(), digest);
}

static void
feed_xxh3(void *state, const void *bytes, size_t length)
{
	CHECK(XXH3_64bits_update(state, bytes, length) == XXH_OK);
}

bool
checksum_of_file(int fd, uint64_t seed, uint64_t *checksum)
{
	static XXH3_state_t state;

	CHECK(XXH3_64bits_reset_withSeed(&state, seed) == XXH_OK);
	if (!read_file(fd, feed_xxh3, &state))
		return false;
	*checksum = XXH3_64bits_digest(&state);
	return true;
}

uint64_t
checksum_of_bytes(const void *bytes, size_t length, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, length, seed);
}

struct key
key_of(struct span text)
{
	unsigned char digest[SHA256_BYTES];
	struct key key;

	sha256(text.at, text.length, digest);
	hex_print(digest, KEY_HEX / 2, key.hex);
	return key;
}

void
hex_print(const unsigned char *bytes, size_t length, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * length] = '\0';
}

static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
base64url_print(const unsigned char *bytes, size_t length, struct text *out)
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < length; i++) {
		bits = (bits << 8) | bytes[i];
		held += 8;
		while (held >= 6) {
			held -= 6;
			text_add_char(out, base64url_digits[(bits >> held) & 63]);
		}
	}
	if (held > 0)
		text_add_char(out, base64url_digits[(bits << (6 - held)) & 63]);
}

bool
base64url_parse(struct span text, unsigned char *bytes, size_t length)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t written = 0;

	if (text.length != (length * 8 + 5) / 6)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		const char *digit = text.at[i] == '\0' ? NULL : strchr(base64url_digits, text.at[i]);

		if (digit == NULL)
			return false;
		bits = (bits << 6) | (uint32_t)(digit - base64url_digits);
		held += 6;
		if (held >= 8) {
			held -= 8;
			bytes[written++] = (unsigned char)(bits >> held);
		}
	}
	/* Bits that no byte uses must be zero, or one value had several texts. */
	return written == length && (bits & ((1u << held) - 1)) == 0;
}

bool
digest_equals(const void *a, const void *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}
