/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PRINT_IDENTITY_H
#define CONTROL_PRINT_IDENTITY_H

#include "config/options.h"
#include "util/error.h"

/*
 * Main; the handlers are loaded. --identity: prints the unit serial number of this storage on standard
 * output. Nothing is opened for I/O, created or remembered. Returns 0 or -errno with error set.
 */
int control_print_identity(struct control_options *options, struct error *error);
#endif
