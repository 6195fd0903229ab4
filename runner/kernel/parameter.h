/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_PARAMETER_H
#define KERNEL_PARAMETER_H

/*
 * Writes a parameter of the kernel module target_core_user, for example "block_netlink". Returns 0 or -errno.
 * -ENOENT means that the kernel is too old to have this parameter.
 */
int tcmu_module_parameter(const char *name, const char *value);
#endif
