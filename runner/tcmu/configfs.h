/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCMU device's folder in the kernel's configfs:
 * ${TCMU_CONFIGFS:-/sys/kernel/config/target}/core/user_HBA/DEVICE. Main or pool thread. Not while the kernel
 * waits for the answer to REMOVED of a device of the same HBA: it holds the folder's lock, and a look-up
 * there would wait for ourselves.
 */
#ifndef TCMU_CONFIGFS_H
#define TCMU_CONFIGFS_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct tcmu_configfs {
	char path[512]; /* the device's folder */
};

/* 0, or -ENAMETOOLONG. */
int tcmu_configfs_device(struct tcmu_configfs *cfs, const char *hba, const char *device, struct error *error);
/* File below the folder, e.g. "attrib/dev_size"; the text loses its newline. 0 or -errno with error set. */
int tcmu_configfs_read(const struct tcmu_configfs *cfs, const char *file, char *text, size_t size,
		       struct error *error);
int tcmu_configfs_read_u64(const struct tcmu_configfs *cfs, const char *file, uint64_t *value,
			   struct error *error);
int tcmu_configfs_write(const struct tcmu_configfs *cfs, const char *file, const char *text,
			struct error *error);
/* The unit serial number that was set in wwn/vpd_unit_serial; "" when none was. */
int tcmu_configfs_serial(const struct tcmu_configfs *cfs, char *serial, size_t size, struct error *error);
#endif
