/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include <stddef.h>

#include "util/error.h"

/*
 * Main thread. Reads a CHAP secret: the first line of a file that belongs to the daemon's user or to root and
 * that nobody else may read. Refuses secrets of less than 12 characters, and those with a NUL, a CR or a byte
 * order mark. Returns 0, or -errno with error set and the secret erased.
 */
int config_read_secret(const char *path, char *secret, size_t size, struct error *error);
#endif
