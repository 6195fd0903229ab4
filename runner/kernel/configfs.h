/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders of the kernel's configfs, ${TCMU_CONFIGFS:-/sys/kernel/config/target}. The folder of a TCMU device
 * is core/user_HBA/DEVICE. Main or pool thread. While the kernel waits for the answer to REMOVED of a device,
 * it holds the lock of the HBA's folder, and every look-up in this folder waits until the reply is sent.
 * Therefore, the thread that sends the reply must not call these functions.
 */
#ifndef KERNEL_CONFIGFS_H
#define KERNEL_CONFIGFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct tcmu_configfs {
	char path[512]; /* The absolute path of the folder. */
};

const char *tcmu_configfs_root(void);
/* Sets cfs to any folder by its absolute path. Returns 0, or -ENAMETOOLONG with error set. */
int tcmu_configfs_folder(struct tcmu_configfs *cfs, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets cfs to the folder of a device. Returns 0, or -ENAMETOOLONG with error set. */
int tcmu_configfs_device(struct tcmu_configfs *cfs, const char *hba, const char *device, struct error *error);
/*
 * Reads a file below the folder, for example "attrib/dev_size", without the newline at its end. Returns 0, or
 * -errno with error set.
 */
int tcmu_configfs_read(const struct tcmu_configfs *cfs, const char *file, char *text, size_t size,
		       struct error *error);
/* Reads the whole file unchanged, and adds no NUL. Returns its length, or -errno. */
ssize_t tcmu_configfs_read_all(const struct tcmu_configfs *cfs, const char *file, char *text, size_t size,
			       struct error *error);
int tcmu_configfs_read_u64(const struct tcmu_configfs *cfs, const char *file, uint64_t *value,
			   struct error *error);
/* Reads a number. If it is more than max, returns -EINVAL. */
int tcmu_configfs_read_byte(const struct tcmu_configfs *cfs, const char *file, uint8_t max, uint8_t *value,
			    struct error *error);
int tcmu_configfs_read_u16(const struct tcmu_configfs *cfs, const char *file, uint16_t *value,
			   struct error *error);
int tcmu_configfs_write(const struct tcmu_configfs *cfs, const char *file, const char *text,
			struct error *error);
/*
 * Returns a descriptor with which the file can be read later without a look-up in configfs, or -errno with
 * error set. The caller closes the descriptor.
 */
int tcmu_configfs_hold(const struct tcmu_configfs *cfs, const char *file, struct error *error);
/*
 * Any thread; never waits for the kernel. fd is the result of tcmu_configfs_hold(). Returns 0 or -errno;
 * -ENOENT means that the device no longer exists.
 */
int tcmu_configfs_read_held(int fd, uint64_t *value);
/* Reads the unit serial number from wwn/vpd_unit_serial. It is "" if nobody has set one. */
int tcmu_configfs_serial(const struct tcmu_configfs *cfs, char *serial, size_t size, struct error *error);
#endif
