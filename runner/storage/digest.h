/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_DIGEST_H
#define STORAGE_DIGEST_H

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
/* Writes the first 16 bytes in the form of a version 4 UUID (RFC 9562 5.4). */
void uuid_from_bytes(const uint8_t *bytes, char uuid[UUID_SIZE]);
#endif
