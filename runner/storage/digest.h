/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_DIGEST_H
#define STORAGE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#define DIGEST_SIZE     32
#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1)
#define UUID_SIZE       37 /* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" and NUL */

/*
 * Computes SHA-256 of the texts, up to an element that is NULL. Each text includes its NUL, so that ("ab",
 * "c") and ("a", "bc") have different digests.
 */
void digest_texts(const char *const *texts, uint8_t digest[DIGEST_SIZE]);
/* Does the same, and writes the digest as lower-case hexadecimal digits. */
void digest_texts_hex(const char *const *texts, char hex[DIGEST_HEX_SIZE]);
/*
 * The digest of a set: the sum of the digests of its elements. Adding or removing an element takes the same
 * time for a large set as for a small one. All zero is the digest of the empty set.
 */
struct digest_set {
	uint64_t sum[2];
};

/* Returns the digest of the set whose only element consists of these texts (digest_texts()). */
struct digest_set digest_set_of(const char *const *texts);
static inline void digest_set_add(struct digest_set *set, struct digest_set other)
{
	set->sum[0] += other.sum[0];
	set->sum[1] += other.sum[1];
}
/* All elements of other must be elements of set. */
static inline void digest_set_remove(struct digest_set *set, struct digest_set other)
{
	set->sum[0] -= other.sum[0];
	set->sum[1] -= other.sum[1];
}
static inline bool digest_set_is_same(struct digest_set a, struct digest_set b)
{
	return a.sum[0] == b.sum[0] && a.sum[1] == b.sum[1];
}
/* Writes the first 16 bytes in the form of a version 4 UUID (RFC 9562 5.4). */
void uuid_from_bytes(const uint8_t *bytes, char uuid[UUID_SIZE]);
#endif
