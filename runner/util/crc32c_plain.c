/* SPDX-License-Identifier: Apache-2.0 */
/* Slicing by eight: with eight tables, eight bytes are processed by independent look-ups. */
#include "util/crc32c.h"

#include <endian.h>
#include <string.h>

#define CRC32C_POLY_REFLECTED 0x82f63b78u /* 11EDC6F41h of RFC 7143 13.1, with its bits reversed. */

/*
 * table[k][b] is the contribution of byte b if k zero bytes follow it. The table is filled once, before
 * main().
 */
static uint32_t table[8][256];

__attribute__((constructor)) static void build_table(void)
{
	for (unsigned b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLY_REFLECTED : 0);
		table[0][b] = crc;
	}
	for (int k = 1; k < 8; k++) {
		for (unsigned b = 0; b < 256; b++)
			table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
	}
}

uint32_t crc32c_plain(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		word = le64toh(word) ^ crc;
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= table[7 - i][word >> 8 * i & 0xff];
	}
	for (; len; p++, len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return crc;
}
