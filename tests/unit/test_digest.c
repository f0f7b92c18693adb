/* test_digest - published test vectors, and strict base64url. */
#include "base/digest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
assert_hex(const unsigned char *bytes, size_t length, const char *want)
{
	char hex[2 * SHA256_BYTES + 1];

	hex_print(bytes, length, hex);
	assert_string_equal(hex, want);
}

/* FIPS 180-4 examples. */
static void
test_hashes_as_fips_180_says(void **state)
{
	unsigned char digest[SHA256_BYTES];

	(void)state;
	sha256("", 0, digest);
	assert_hex(digest, SHA256_BYTES, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256("abc", 3, digest);
	assert_hex(digest, SHA256_BYTES, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231 cases 1, 2 and 6 (a key longer than a block). */
static void
test_signs_as_rfc_4231_says(void **state)
{
	static const char question[] = "what do ya want for nothing?";
	static const char long_one[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	unsigned char mac[SHA256_BYTES], key[131];

	(void)state;
	memset(key, 0x0b, 20);
	hmac_sha256(key, 20, "Hi There", 8, mac);
	assert_hex(mac, SHA256_BYTES, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_sha256("Jefe", 4, question, strlen(question), mac);
	assert_hex(mac, SHA256_BYTES, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key), long_one, strlen(long_one), mac);
	assert_hex(mac, SHA256_BYTES, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static int
file_with(const void *bytes, size_t length, unsigned times)
{
	int fd = memfd_create("digest", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	for (unsigned i = 0; i < times; i++)
		assert_int_equal(write(fd, bytes, length), length);
	return fd;
}

/* More than one chunk, and the position stays where it was. */
static void
test_hashes_whole_files_from_the_beginning(void **state)
{
	char as[1000];
	unsigned char digest[SHA256_BYTES];
	int fd;

	(void)state;
	memset(as, 'a', sizeof(as));
	fd = file_with(as, sizeof(as), 1000);
	assert_int_equal(lseek(fd, 17, SEEK_SET), 17);
	assert_true(sha256_of_file(fd, digest));
	assert_hex(digest, SHA256_BYTES, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_true(md5_of_file(fd, digest));
	assert_hex(digest, MD5_BYTES, "7707d6ae4e027c70eea2a935c2296f21");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 17);
	close(fd);
	assert_false(sha256_of_file(fd, digest));
	assert_false(md5_of_file(fd, digest));
}

static void
test_sees_one_changed_byte_in_a_file(void **state)
{
	char bytes[1000] = { 0 };
	uint64_t before = 0, after = 0, empty = 0;
	int fd = file_with(bytes, sizeof(bytes), 600), nothing = file_with("", 0, 1);

	(void)state;
	assert_true(checksum_of_file(fd, 0, &before));
	assert_true(checksum_of_file(fd, 0, &after));
	assert_true(before == after);
	assert_int_equal(pwrite(fd, "x", 1, 599999), 1);
	assert_true(checksum_of_file(fd, 0, &after));
	assert_true(before != after);
	assert_true(checksum_of_file(nothing, 0, &empty));
	assert_true(checksum_of_file(fd, 1, &before));
	assert_true(before != after);	/* another seed */
	assert_true(empty == UINT64_C(0x2d06800538d394c2));	/* XXH3 of nothing, seed 0 */
	close(fd);
	close(nothing);
}

static void
test_names_things_by_half_a_sha256(void **state)
{
	(void)state;
	assert_string_equal(key_of(span_of("abc")).hex, "ba7816bf8f01cfea414140de5dae2223");
}

/* RFC 4648 section 10, without padding, and both characters of the URL alphabet. */
static void
test_prints_base64url_as_rfc_4648_says(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff", "-_8" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char back[8];
		size_t length = strlen(cases[i].bytes);
		struct text out;

		text_init(&out, arena, 16);
		base64url_print((const unsigned char *)cases[i].bytes, length, &out);
		assert_string_equal(out.at, cases[i].text);
		assert_true(base64url_parse(text_span(&out), back, length));
		assert_memory_equal(back, cases[i].bytes, length);
	}
	arena_free(arena);
}

static void
test_refuses_base64url_that_is_not_canonical(void **state)
{
	static const char *const cases[] = {
		"Zh",		/* bits that no byte uses */
		"Zg==", "Z", "Zg ", "Z+", "Z/", "Zm8", "",
	};
	unsigned char byte;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (base64url_parse(span_of(cases[i]), &byte, 1))
			fail_msg("took '%s'", cases[i]);
	assert_false(base64url_parse(span_range("Z\0", 2), &byte, 1));
}

static void
test_compares_every_byte(void **state)
{
	(void)state;
	assert_true(digest_equals("abcd", "abcd", 4));
	assert_false(digest_equals("abcd", "abce", 4));
	assert_false(digest_equals("abcd", "bbcd", 4));
	assert_true(digest_equals("abcd", "abce", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes_as_fips_180_says),
		cmocka_unit_test(test_signs_as_rfc_4231_says),
		cmocka_unit_test(test_hashes_whole_files_from_the_beginning),
		cmocka_unit_test(test_sees_one_changed_byte_in_a_file),
		cmocka_unit_test(test_names_things_by_half_a_sha256),
		cmocka_unit_test(test_prints_base64url_as_rfc_4648_says),
		cmocka_unit_test(test_refuses_base64url_that_is_not_canonical),
		cmocka_unit_test(test_compares_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
