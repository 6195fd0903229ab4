/* SPDX-License-Identifier: Apache-2.0 */
/* --check-saveconfig. Main thread. */
#ifndef CONTROL_CHECK_SAVECONFIG_H
#define CONTROL_CHECK_SAVECONFIG_H

#include "util/error.h"

/*
 * Prints what is wrong in the file, one line each, on standard output. Returns 0, or -errno with error set.
 */
int control_check_saveconfig(const char *path, struct error *error);
#endif
