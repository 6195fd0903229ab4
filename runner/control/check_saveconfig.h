/* SPDX-License-Identifier: Apache-2.0 */
/* Implements --check-saveconfig. Main thread. */
#ifndef CONTROL_CHECK_SAVECONFIG_H
#define CONTROL_CHECK_SAVECONFIG_H

#include "util/error.h"

/*
 * Prints the problems of the file to standard output, one on each line. Returns 0, or -errno with error set.
 */
int control_check_saveconfig(const char *path, struct error *error);
#endif
