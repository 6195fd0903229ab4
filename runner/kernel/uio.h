/* SPDX-License-Identifier: Apache-2.0 */
/* The UIO side of a TCMU device: its name, its device node and its mapping. Main or pool thread. */
#ifndef KERNEL_UIO_H
#define KERNEL_UIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* The parts of "tcm-user/HBA/DEVICE/SUBTYPE/CONFIG". */
struct tcmu_uio_name {
	/* The number of the HBA. The folder of the device in configfs is core/user_HBA/DEVICE. */
	char hba[16];
	char device[256];
	char handler[64]; /* The SUBTYPE. */
	char config[260]; /* "SUBTYPE/CONFIG", the form that backstore_open() takes. */
};

/* Returns false if this is not a TCMU device, or if its name contains no handler. */
bool tcmu_uio_name_parse(const char *text, struct tcmu_uio_name *name);

struct tcmu_uio {
	int fd;    /* The descriptor, which was opened with O_RDWR | O_NONBLOCK. */
	void *map; /* NULL if there is no mapping. */
	size_t map_len;
};

/*
 * Opens /dev/uio<minor>. If uio->fd is not -1 and is open on this device, it is used. Returns 0, or -errno
 * with error set. -ENODEV means that there is no such device, and -EBUSY that another process uses it.
 */
int tcmu_uio_open(unsigned minor, struct tcmu_uio *uio, struct error *error);
/*
 * Maps the whole map 0. May be called only after the kernel has enabled the device: if a device is refused,
 * or if its creator gives up waiting, the kernel frees the ring even if it is mapped, and the first access to
 * such a mapping crashes the kernel. Returns 0, or -errno with error set.
 */
int tcmu_uio_map(unsigned minor, struct tcmu_uio *uio, struct error *error);
/*
 * Returns whether the device that is now /dev/uio<minor> is the one that was opened with the descriptor fd.
 */
bool tcmu_uio_is_device(int fd, unsigned minor);
void tcmu_uio_close(struct tcmu_uio *uio);

/* Calls found for each TCMU device, with its UIO name, in the kernel's order. Returns 0 or -errno. */
int tcmu_uio_scan(void (*found)(void *arg, unsigned minor, const char *uio_name), void *arg,
		  struct error *error);
#endif
