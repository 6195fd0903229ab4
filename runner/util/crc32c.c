/* SPDX-License-Identifier: Apache-2.0 */
/* Computes CRC32C with ISA-L if the build has found it, and otherwise with the function in crc32c_plain.c. */
#include "util/crc32c.h"

#ifdef UTIL_HAVE_ISAL
#include <isa-l/crc.h>

uint32_t crc32c_update(uint32_t crc, const void *data, size_t len)
{
	/*
	 * ISA-L counts bytes with an int, and only reads the buffer, although its prototype does not say so.
	 */
	unsigned char *p = (unsigned char *)(uintptr_t)data;

	for (; len > INT32_MAX; p += 1u << 30, len -= 1u << 30)
		crc = crc32_iscsi(p, 1 << 30, crc);
	return crc32_iscsi(p, (int)len, crc);
}
#else
uint32_t crc32c_update(uint32_t crc, const void *data, size_t len)
{
	return crc32c_plain(crc, data, len);
}
#endif
