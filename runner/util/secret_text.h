/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds bytes in a secret that an administrator cannot have meant, and that editors and other systems put
 * into files. With such a secret, initiators would fail to log in and nobody would know why.
 */
#ifndef UTIL_SECRET_TEXT_H
#define UTIL_SECRET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns the length of the first line of a file, without its line end (LF or CR LF). len is the number of
 * bytes that were read.
 */
size_t secret_line_length(const char *bytes, size_t len);
/* Returns what is wrong with a secret of len bytes, or NULL. */
const char *secret_find_fault(const char *secret, size_t len);
/* Returns whether the secret begins or ends with a blank. */
bool secret_has_outer_blanks(const char *secret, size_t len);
#endif
