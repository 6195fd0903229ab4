/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a, a function for the hash tables of short keys. It does not resist an attacker who searches for
 * collisions.
 */
#ifndef UTIL_HASH_H
#define UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_INIT 0xcbf29ce484222325u

/* Adds bytes of the key to hash, which is HASH_INIT at the beginning. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}
#endif
