/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_DUMP_HANDLERS_H
#define CONTROL_DUMP_HANDLERS_H

#include "util/error.h"

/*
 * Main thread. Prints the handlers and the filters of this name, or all of them if name is "". Returns 0, or
 * -ENOENT with error set if there are none of this name.
 */
int control_dump_handlers(const char *name, struct error *error);
#endif
