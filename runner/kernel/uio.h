/* SPDX-License-Identifier: Apache-2.0 */
/* The uio side of a TCMU device: its name, its node, its mapping. Main or pool thread. */
#ifndef KERNEL_UIO_H
#define KERNEL_UIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* "tcm-user/HBA/DEVICE/SUBTYPE/CONFIG", taken apart. */
struct tcmu_uio_name {
	char hba[16]; /* number: the device is core/user_HBA/DEVICE in configfs */
	char device[256];
	char handler[64]; /* SUBTYPE */
	char config[260]; /* "SUBTYPE/CONFIG", as backstore_open() takes it */
};

/* Returns false when it is no TCMU device, or has no handler in its name. */
bool tcmu_uio_name_parse(const char *text, struct tcmu_uio_name *name);

struct tcmu_uio {
	int fd;    /* O_RDWR | O_NONBLOCK */
	void *map; /* NULL: none */
	size_t map_len;
};

/*
 * Opens /dev/uio<minor>, unless uio->fd is on it already (-1: it is not). Returns 0, or -errno with error
 * set; -ENODEV when there is no such device, -EBUSY when another process has it.
 */
int tcmu_uio_open(unsigned minor, struct tcmu_uio *uio, struct error *error);
/*
 * Maps all of map 0. Only of a device that the kernel has enabled: one that is refused, or whose maker gives
 * up waiting, loses its ring even if that is mapped, and the first touch of such a mapping takes the kernel
 * down. Returns 0 or -errno with error set.
 */
int tcmu_uio_map(unsigned minor, struct tcmu_uio *uio, struct error *error);
/* Returns whether fd is open on the device that /dev/uio<minor> is now. */
bool tcmu_uio_is(int fd, unsigned minor);
void tcmu_uio_close(struct tcmu_uio *uio);

/*
 * Calls found for each TCMU device there is, with its uio name; order as the kernel lists them. Returns 0 or
 * -errno.
 */
int tcmu_uio_scan(void (*found)(void *arg, unsigned minor, const char *uio_name), void *arg,
		  struct error *error);
#endif
