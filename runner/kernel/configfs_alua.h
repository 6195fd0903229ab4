/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target port groups of a TCMU device: the folders core/user_HBA/DEVICE/alua/GROUP in the kernel's
 * configfs, and the LUNs of any fabric that are their members. The kernel keeps the groups and enforces their
 * states; this daemon reports them to initiators.
 */
#ifndef KERNEL_CONFIGFS_ALUA_H
#define KERNEL_CONFIGFS_ALUA_H

#include "scsi/alua.h"
#include "kernel/configfs.h"

/*
 * Pool thread; may block. Reads the groups that have members. If alua_support is off for the device, there
 * are none. If visit is not NULL, it is called with each folder before anything in the folder is read.
 * Returns 0, or -errno with error set if a file has contents that are not allowed.
 */
int tcmu_configfs_alua_read(const struct tcmu_configfs *cfs, void (*visit)(void *arg, const char *folder),
			    void *arg, struct scsi_alua *alua, struct error *error);
/* Pool thread, may block. Sets the state of a group for an initiator. Returns 0, or -errno with error set. */
int tcmu_configfs_alua_set(const struct tcmu_configfs *cfs, uint16_t group, enum scsi_alua_state state,
			   struct error *error);
/*
 * Reads the folder of one group, without its members. Returns 1 if the group has no number yet, which means
 * that it is not in use.
 */
int tcmu_configfs_alua_group(const struct tcmu_configfs *folder, struct scsi_alua_group *group,
			     struct error *error);
int tcmu_configfs_alua_group_id(const struct tcmu_configfs *folder, uint16_t *id, struct error *error);
#endif
