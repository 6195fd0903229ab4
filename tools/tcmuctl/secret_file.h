/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCMUCTL_SECRET_FILE_H
#define TCMUCTL_SECRET_FILE_H

#include "util/error.h"

/*
 * Reads the first line of a file that only its owner may read, or of standard input if path is "-". A
 * terminal shows a prompt, but not the typed text. Returns the line, which the caller frees with
 * secret_file_free(), or NULL with error set.
 */
char *secret_file_read(const char *path, struct error *error);
/* Overwrites and frees the secret. If it is NULL, nothing happens. */
void secret_file_free(char *secret);
#endif
