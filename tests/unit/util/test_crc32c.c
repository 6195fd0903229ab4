/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C, compared with the values of RFC 7143 and with the version in plain C. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/bytes.h"
#include "util/crc32c.h"

typedef uint32_t crc_fn(uint32_t crc, const void *data, size_t len);

static crc_fn *const implementations[] = {crc32c_update, crc32c_plain};

static uint32_t digest(crc_fn *crc, const void *data, size_t len)
{
	return ~crc(CRC32C_INIT, data, len);
}

/* RFC 7143 appendix A.4, whose digests are written in wire order: little-endian. */
static void rfc7143_vectors(void **state)
{
	static const uint8_t read10[48] = {
	    0x01, 0xc0, 0, 0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, 0x28, [40] = 0x02,
	};
	uint8_t zeros[32], ones[32], up[32], down[32];

	(void)state;
	memset(zeros, 0, sizeof(zeros));
	memset(ones, 0xff, sizeof(ones));
	for (uint8_t i = 0; i < 32; i++) {
		up[i] = i;
		down[i] = 31 - i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(implementations); i++) {
		crc_fn *crc = implementations[i];

		assert_int_equal(digest(crc, zeros, 32), 0x8a9136aa);
		assert_int_equal(digest(crc, ones, 32), 0x62a8ab43);
		assert_int_equal(digest(crc, up, 32), 0x46dd794e);
		assert_int_equal(digest(crc, down, 32), 0x113fdb5c);
		assert_int_equal(digest(crc, read10, 48), 0xd9963a56);
		assert_int_equal(digest(crc, "123456789", 9), 0xe3069283);
		assert_int_equal(digest(crc, zeros, 0), 0);
	}
}

/* If the data is divided into pieces at any alignment, the result is the same. */
static void pieces_and_alignment(void **state)
{
	uint8_t data[300];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + 7);
	for (size_t start = 0; start < 16; start++) {
		uint32_t whole = crc32c_plain(CRC32C_INIT, data + start, 256);

		for (size_t cut = 0; cut <= 256; cut++) {
			uint32_t first = crc32c_update(CRC32C_INIT, data + start, cut);

			assert_int_equal(crc32c_update(first, data + start + cut, 256 - cut), whole);
			assert_int_equal(crc32c_plain(first, data + start + cut, 256 - cut), whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc7143_vectors),
	    cmocka_unit_test(pieces_and_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
