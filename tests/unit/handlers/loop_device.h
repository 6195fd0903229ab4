/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop device over a sparse file that has no name, gone with the last close of the device
 * (loop(4)).
 */
#ifndef LOOP_DEVICE_H
#define LOOP_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct loop_device {
	int fd;      /* keeps the device */
	int backing; /* the file */
	char path[32];
};

struct loop_wanted {
	uint64_t size;
	uint32_t block_size;
	bool read_only;
	bool partition; /* one, PARTITION_START bytes in, up to the end; its device is PATHp1 */
};
#define PARTITION_START (1u << 20)

/* 0, or -errno where there are no loop devices or no right to them. */
int loop_device_make(struct loop_device *device, struct loop_wanted wanted);
/* Changes the backing file's size and tells the device. */
int loop_device_resize(struct loop_device *device, uint64_t size);
void loop_device_drop(struct loop_device *device);
#endif
