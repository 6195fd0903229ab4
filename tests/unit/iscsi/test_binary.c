/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding and decoding of binary values in the text of a login (RFC 7143, 6.1; base64: RFC 4648). */
#include "initiator.h"

#include "iscsi_login/binary.h"

static void good_values(void **state)
{
	static const struct {
		const char *text, *bytes;
		long len;
	} cases[] = {
	    {"0x00", "\0", 1},           {"0XaBcD", "\xab\xcd", 2},
	    {"0bZg==", "f", 1}, /* RFC 4648, section 10 */
	    {"0bZm8=", "fo", 2},         {"0bZm9v", "foo", 3},
	    {"0bZm9vYg==", "foob", 4},   {"0BZm9vYmE=", "fooba", 5},
	    {"0bZm9vYmFy", "foobar", 6}, {"0b+/+/", "\xfb\xff\xbf", 3},
	};
	uint8_t out[8];

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		assert_int_equal(iscsi_binary_decode(cases[c].text, out, sizeof(out)), cases[c].len);
		assert_memory_equal(out, cases[c].bytes, (size_t)cases[c].len);
	}
}

static void bad_values(void **state)
{
	static const char *const bad[] = {
	    "",       "0",       "0x",         "0b",     "x00",     "00",     "ab",      "0x0",    "0x000",
	    "0x0g",   "0x 00",   "0x00 ",      "0bZ",    "0bZg",    "0bZg=",  "0bZg===", "0b====", "0b=Zg=",
	    "0bZ===", "0bZm9v=", "0bZg==Zg==", "0bZm 9", "0bZm9\n", "0bZh==", "0bZm9=",  "0bZm-_",
	};
	uint8_t out[8];

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(bad); c++)
		if (iscsi_binary_decode(bad[c], out, sizeof(out)) >= 0)
			fail_msg("'%s' was accepted", bad[c]);
}

/* The decoder never writes past the end of the buffer. AddressSanitizer notices if it does. */
static void nothing_is_written_past_the_size(void **state)
{
	uint8_t *out = malloc(3);

	(void)state;
	assert_int_equal(iscsi_binary_decode("0x010203", out, 3), 3);
	assert_int_equal(iscsi_binary_decode("0x01020304", out, 3), -1);
	assert_int_equal(iscsi_binary_decode("0bZm9v", out, 3), 3);
	assert_int_equal(iscsi_binary_decode("0bZm9vYg==", out, 3), -1);
	free(out);
}

static void encode(void **state)
{
	char text[2 * 4 + 3];

	(void)state;
	iscsi_binary_encode((const uint8_t *)"\x00\x7f\x80\xff", 4, text);
	assert_string_equal(text, "0x007f80ff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_values),
	    cmocka_unit_test(bad_values),
	    cmocka_unit_test(nothing_is_written_past_the_size),
	    cmocka_unit_test(encode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
