/* test_crc - against the catalogue's check values, and the definition bit by bit. */
#include "origin/crc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t
crc_of(const struct crc *crc, const unsigned char *bytes, size_t length)
{
	int fd = memfd_create("crc", MFD_CLOEXEC);
	uint64_t value = 0;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, length), length);
	assert_true(crc_of_file(crc, fd, &value));
	close(fd);
	return value;
}

static void
test_knows_the_check_values(void **state)
{
	const unsigned char *digits = (const unsigned char *)"123456789";

	(void)state;
	assert_true(crc_of(&crc32, digits, 9) == 0xCBF43926);
	assert_true(crc_of(&crc32c, digits, 9) == 0xE3069283);
	assert_true(crc_of(&crc64nvme, digits, 9) == UINT64_C(0xAE8B14860A799888));
}

static uint64_t
bit_by_bit(const struct crc *crc, const unsigned char *bytes, size_t length)
{
	uint64_t ones = UINT64_MAX >> (64 - 8 * crc->bytes), value = ones;

	for (size_t i = 0; i < length; i++) {
		value ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			value = (value & 1) != 0 ? (value >> 1) ^ crc->polynomial : value >> 1;
	}
	return value ^ ones;
}

/* Around the eight bytes of a step, and around a piece of the file. */
static void
test_every_length_is_as_defined(void **state)
{
	static const size_t lengths[] = { 0, 1, 7, 8, 9, 15, 16, 17, 4095, 262143, 262144, 262145, 600001 };
	const struct crc *const kinds[] = { &crc32, &crc64nvme, &crc32c };
	unsigned char *bytes = malloc(600001);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 600001; i++)
		bytes[i] = (unsigned char)(i * i >> 3);
	for (size_t kind = 0; kind < 3; kind++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			assert_true(crc_of(kinds[kind], bytes, lengths[i]) ==
			    bit_by_bit(kinds[kind], bytes, lengths[i]));
	free(bytes);
}

static void
test_says_when_the_file_cannot_be_read(void **state)
{
	uint64_t value;

	(void)state;
	assert_false(crc_of_file(&crc32, -1, &value));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_the_check_values),
		cmocka_unit_test(test_every_length_is_as_defined),
		cmocka_unit_test(test_says_when_the_file_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
