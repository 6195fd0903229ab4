/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C (Castagnoli), which iSCSI digests use (RFC 7143 13.1). */
#ifndef UTIL_CRC32C_H
#define UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#define CRC32C_INIT 0xffffffffu

/*
 * Adds len bytes to crc, which is CRC32C_INIT at the beginning. The digest in a PDU is ~crc, little-endian.
 */
uint32_t crc32c_update(uint32_t crc, const void *data, size_t len);
/*
 * The same function in plain C. It is used if the build has not found ISA-L, and tests compare
 * crc32c_update() with it.
 */
uint32_t crc32c_plain(uint32_t crc, const void *data, size_t len);
#endif
