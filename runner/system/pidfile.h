/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYSTEM_PIDFILE_H
#define SYSTEM_PIDFILE_H

#include "util/error.h"

/*
 * Main thread. Writes the ID of this process and a newline. A symbolic link is refused. Returns 0, or -errno
 * with error set.
 */
int system_pidfile_write(const char *path, struct error *error);
/* Main thread. Removes the file. */
void system_pidfile_remove(const char *path);
#endif
