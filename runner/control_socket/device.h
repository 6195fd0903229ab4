/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the kernel's devices that lists show. The control socket and D-Bus use the same words. */
#ifndef CONTROL_SOCKET_DEVICE_H
#define CONTROL_SOCKET_DEVICE_H

#include <stdint.h>

/*
 * A device of the kernel front end. It is valid only during the call of the function to which it is passed.
 */
struct control_device {
	/* "user_0/disk" */
	const char *name;
	/* "file//srv/disk.img" */
	const char *config;
	/* "opening", "served", "failed" or "closing". */
	const char *state;
	/*
	 * Tells why the device is failed, or describes a problem of its storage, such as a file that was
	 * shortened. The text is empty if the device has no problem.
	 */
	const char *error;
	/* The number N of /dev/uioN. */
	unsigned minor;
	/*
	 * The size in bytes. While the device is not served, this is the configured size, or 0 if it is not
	 * known yet.
	 */
	uint64_t size;
	/* late counts the commands that expired because the storage took too long. */
	uint64_t commands, doorbells, late;
};
typedef void control_device_view(void *arg, const struct control_device *device);
#endif
