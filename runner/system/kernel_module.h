/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYSTEM_KERNEL_MODULE_H
#define SYSTEM_KERNEL_MODULE_H

#include "util/error.h"

/* Main thread. Sees to it that the kernel has target_core_user, and configfs where LIO shows itself. 0 or
 * -errno. */
int kernel_module_load(struct error *error);
#endif
