/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMPORT_OUTPUT_H
#define IMPORT_OUTPUT_H

#include "util/error.h"

/*
 * Writes text, which may contain secrets, to the file path, with mode 0600 and in one step, so that the file
 * has either its old or its new contents. If path is NULL, writes to standard output. Returns 0, or -errno
 * with error set.
 */
int output_write(const char *path, const char *text, struct error *error);
#endif
