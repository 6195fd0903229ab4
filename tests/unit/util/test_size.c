/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as text. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <cmocka.h>

#include "util/bytes.h"
#include "util/size.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int ret;
		uint64_t bytes;
	} rows[] = {
	    {"0", 0, 0},
	    {"4096", 0, 4096},
	    {"512B", 0, 512},
	    {"64K", 0, 65536},
	    {"64k", 0, 65536},
	    {"1M", 0, 1048576},
	    {"1MiB", 0, 1048576},
	    {"1MB", 0, 1048576},
	    {"3G", 0, 3221225472},
	    {"2T", 0, 2199023255552},
	    {"1P", 0, 1125899906842624},
	    {"7E", 0, 8070450532247928832},
	    {"9223372036854775807", 0, INT64_MAX},
	    {"9223372036854775808", -ERANGE, 0},
	    {"99999999999999999999999", -ERANGE, 0},
	    {"8E", -ERANGE, 0},
	    {"8388608T", -ERANGE, 0},
	    {"", -EINVAL, 0},
	    {"K", -EINVAL, 0},
	    {"-1", -EINVAL, 0},
	    {"+1", -EINVAL, 0},
	    {" 1", -EINVAL, 0},
	    {"1 ", -EINVAL, 0},
	    {"1.5G", -EINVAL, 0},
	    {"1iB", -EINVAL, 0},
	    {"1GG", -EINVAL, 0},
	    {"1Gi", -EINVAL, 0},
	    {"0x10", -EINVAL, 0},
	    {"1\xcb", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bytes = 12345;

		if (size_parse(rows[i].text, &bytes) != rows[i].ret)
			fail_msg("\"%s\": wrong result", rows[i].text);
		assert_int_equal(bytes, rows[i].ret ? 12345 : rows[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sizes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
