/* SPDX-License-Identifier: Apache-2.0 */
/* What lists of the kernel's devices show. The control socket and D-Bus use the same words. */
#ifndef CONTROL_SOCKET_DEVICE_H
#define CONTROL_SOCKET_DEVICE_H

#include <stdint.h>

/* A device of the kernel front end; valid during the call that it is passed to. */
struct control_device {
	/* "user_0/disk" */
	const char *name;
	/* "file//srv/disk.img" */
	const char *config;
	/* "opening", "served", "failed", "closing" */
	const char *state;
	/* The reason if the state is "failed", otherwise "". */
	const char *error;
	/* The number N of /dev/uioN. */
	unsigned minor;
	/* Bytes. While the device is not served, the size that is configured; 0: not known yet. */
	uint64_t size;
	uint64_t commands, doorbells, late;
};
typedef void control_device_view(void *arg, const struct control_device *device);
#endif
