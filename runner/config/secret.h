/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include <stddef.h>

#include "util/error.h"

/*
 * Reads a CHAP secret: the first line of a file that nobody but its owner may read. 12 characters at least,
 * the 96 bits that RFC 7143 9.2.1 asks for. 0 or -errno.
 */
int control_read_secret(const char *path, char *secret, size_t size, struct error *error);
#endif
