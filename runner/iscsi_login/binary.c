/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes binary values in both forms of RFC 7143, and encodes them in the hexadecimal form. The decoder
 * accepts no deviation from the form, because only CHAP uses it.
 */
#include "iscsi_login/binary.h"

#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static long decode_hex(const char *digits, uint8_t *out, size_t size)
{
	size_t len = strlen(digits);

	if (len == 0 || len % 2 || len / 2 > size)
		return -1;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(digits[i]), low = hex_digit(digits[i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (long)(len / 2);
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
 * Decodes base64 with padding (RFC 4648 4). The unused bits of the last digit must be zero, so that each
 * value has only one form.
 */
static long decode_base64(const char *text, uint8_t *out, size_t size)
{
	size_t len = strlen(text), pad = 0, n;
	uint32_t bits = 0;

	if (len == 0 || len % 4)
		return -1;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	n = len / 4 * 3 - pad;
	if (n > size)
		return -1;
	for (size_t i = 0, at = 0; i < len; i++) {
		int digit = i < len - pad ? base64_digit(text[i]) : 0;

		if (digit < 0)
			return -1;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8, at++) {
			if (at < n)
				out[at] = (uint8_t)(bits >> shift);
			else if (bits >> shift & 0xff)
				return -1;
		}
		bits = 0;
	}
	return (long)n;
}

long iscsi_binary_decode(const char *value, uint8_t *out, size_t size)
{
	if (value[0] == '0' && (value[1] == 'x' || value[1] == 'X'))
		return decode_hex(value + 2, out, size);
	if (value[0] == '0' && (value[1] == 'b' || value[1] == 'B'))
		return decode_base64(value + 2, out, size);
	return -1;
}

void iscsi_binary_encode(const uint8_t *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	*text++ = '0';
	*text++ = 'x';
	for (size_t i = 0; i < len; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}
