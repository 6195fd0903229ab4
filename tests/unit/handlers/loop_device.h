/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop device on a sparse file without a name. The file disappears with the last close of the device
 * (loop(4)).
 */
#ifndef LOOP_DEVICE_H
#define LOOP_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct loop_device {
	int fd;      /* Keeps the device in use. */
	int backing; /* The backing file. */
	char path[32];
};

struct loop_wanted {
	uint64_t size;
	uint32_t block_size;
	bool read_only;
	/*
	 * Adds one partition, which begins at PARTITION_START bytes and ends with the disk. Its device is
	 * PATHp1.
	 */
	bool partition;
};
#define PARTITION_START (1u << 20)

/* Returns 0, or -errno if there are no loop devices or if the process has no right to use them. */
int loop_device_make(struct loop_device *device, struct loop_wanted wanted);
/* Changes the size of the file and makes the device notice it. */
int loop_device_resize(struct loop_device *device, uint64_t size);
void loop_device_drop(struct loop_device *device);
#endif
