/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target port groups of a TCMU device: core/user_HBA/DEVICE/alua/GROUP in the kernel's configfs, and the
 * LUNs of any fabric that are their members. The kernel keeps them, and enforces their states; initiators
 * hear of them from us.
 */
#ifndef KERNEL_CONFIGFS_ALUA_H
#define KERNEL_CONFIGFS_ALUA_H

#include "scsi/alua.h"
#include "kernel/configfs.h"

/*
 * Pool thread, may block. Reads the groups that have members; none, where the device has alua_support off.
 * Calls visit, if it is not NULL, with each folder that the result hangs on, before anything in it is read.
 * Returns 0, or -errno with error set when what stands there makes no sense.
 */
int tcmu_configfs_alua_read(const struct tcmu_configfs *cfs, void (*visit)(void *arg, const char *folder),
			    void *arg, struct scsi_alua *alua, struct error *error);
/*
 * Pool thread, may block. Brings a group to a state as initiators ask for it. Returns 0, or -errno with error
 * set.
 */
int tcmu_configfs_alua_set(const struct tcmu_configfs *cfs, uint16_t group, enum scsi_alua_state state,
			   struct error *error);
/* The same for the folder of one group, but for its members; 1: it has no number yet, and so is none. */
int tcmu_configfs_alua_group(const struct tcmu_configfs *folder, struct scsi_alua_group *group,
			     struct error *error);
int tcmu_configfs_alua_group_id(const struct tcmu_configfs *folder, uint16_t *id, struct error *error);
#endif
