/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYSTEM_KERNEL_MODULE_H
#define SYSTEM_KERNEL_MODULE_H

#include "util/error.h"

/*
 * Main thread; may block. Loads target_core_user if the kernel does not have it yet. Returns 0, or -errno
 * with error set; -ENOTSUP means that this kernel has no TCMU.
 */
int kernel_module_load(struct error *error);
#endif
