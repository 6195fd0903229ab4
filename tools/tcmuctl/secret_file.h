/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCMUCTL_SECRET_FILE_H
#define TCMUCTL_SECRET_FILE_H

#include "util/error.h"

/*
 * Reads the first line of a file that nobody but its owner may read, or of standard input if path
 * is "-"; a terminal shows a prompt, and does not show what is typed. Returns the line, to be freed
 * with secret_file_free(), or NULL with error set.
 */
char *secret_file_read(const char *path, struct error *error);
/* Overwrites and frees. NULL: nothing happens. */
void secret_file_free(char *secret);
#endif
