/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a: spreads short keys over hash tables. It does not resist an attacker who searches for collisions. */
#ifndef UTIL_HASH_H
#define UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_INIT 0xcbf29ce484222325u

/* Continues hash, which begins as HASH_INIT, with more bytes of the key. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}
#endif
