/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_PARAMETER_H
#define KERNEL_PARAMETER_H

/*
 * Writes a parameter of the module target_core_user, for example "block_netlink". Returns 0 or -errno;
 * -ENOENT on old kernels.
 */
int tcmu_module_parameter(const char *name, const char *value);
#endif
