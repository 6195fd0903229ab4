/* SPDX-License-Identifier: Apache-2.0 */
/* Converts LUN structures (SAM-5 4.7) to numbers and back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "model/lun.h"

static void peripheral_and_flat(void **state)
{
	static const struct {
		uint8_t lun[8];
		int number;
	} cases[] = {
	    {{0, 0}, 0},
	    {{0, 1}, 1},
	    {{0, 255}, 255},
	    {{0x40, 0}, 0}, /* flat space may also contain small numbers */
	    {{0x40, 7}, 7},
	    {{0x41, 0}, 256},
	    {{0x7f, 0xff}, 16383},
	    {{0x01, 0}, -1},       /* bus identifier 1 */
	    {{0x80, 0}, -1},       /* logical unit addressing */
	    {{0xc1, 0x01}, -1},    /* REPORT LUNS well known */
	    {{0xd2, 0, 0, 1}, -1}, /* extended flat */
	    {{0, 1, 0, 1}, -1},    /* a second level */
	    {{0x40, 1, 0, 0, 0, 0, 0, 1}, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(model_lun_decode(cases[i].lun), cases[i].number);
}

static void encode_is_the_inverse(void **state)
{
	uint8_t lun[8];

	(void)state;
	for (unsigned n = 0; n < 16384; n++) {
		memset(lun, 0xff, sizeof(lun));
		model_lun_encode(n, lun);
		assert_int_equal(model_lun_decode(lun), n);
		assert_int_equal(lun[0] >> 6, n > 255); /* small numbers use peripheral addresses */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(peripheral_and_flat),
	    cmocka_unit_test(encode_is_the_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
