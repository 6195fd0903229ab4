/* SPDX-License-Identifier: Apache-2.0 */
/* Binary values in text (RFC 7143 6.1): "0x" and hex digits, or "0b" and base64. */
#ifndef ISCSI_LOGIN_BINARY_H
#define ISCSI_LOGIN_BINARY_H

#include <stddef.h>
#include <stdint.h>

/* Returns the number of bytes written to out, or -1 if the value is malformed or longer than size. */
long iscsi_binary_decode(const char *value, uint8_t *out, size_t size);
/* Writes the hexadecimal form to text, which has room for 2 * len + 3 bytes. */
void iscsi_binary_encode(const uint8_t *bytes, size_t len, char *text);
#endif
