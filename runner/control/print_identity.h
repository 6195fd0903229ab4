/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PRINT_IDENTITY_H
#define CONTROL_PRINT_IDENTITY_H

#include "config/options.h"
#include "util/error.h"

/*
 * Main thread, after the handlers were loaded. Implements --identity: prints the unit serial number of the
 * storage on standard output. It opens nothing for I/O, and creates and stores nothing. Returns 0, or -errno
 * with error set.
 */
int control_print_identity(struct config_options *options, struct error *error);
#endif
