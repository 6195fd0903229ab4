/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYSTEM_PIDFILE_H
#define SYSTEM_PIDFILE_H

#include "util/error.h"

/* Main thread. Writes the ID of this process and a newline; a symbolic link is not followed. 0, or -errno with error set. */
int control_pidfile_write(const char *path, struct error *error);
void control_pidfile_remove(const char *path);
#endif
