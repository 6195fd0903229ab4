/* SPDX-License-Identifier: Apache-2.0 */
/* Loop devices for tests of the handler block. Tests are skipped if the kernel has none. */
#include "loop_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Attaches the next free device. If another program takes that device first, tries the one after it. */
static int attach(struct loop_device *device, int control, struct loop_config *config)
{
	for (int tries = 0; tries < 16; tries++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return -errno;
		snprintf(device->path, sizeof(device->path), "/dev/loop%d", number);
		device->fd = open(device->path, O_RDWR | O_CLOEXEC);
		if (device->fd < 0)
			return -errno;
		if (ioctl(device->fd, LOOP_CONFIGURE, config) == 0)
			return 0;
		close(device->fd);
		if (errno != EBUSY)
			return -errno;
	}
	return -EBUSY;
}

/* Adds the partition with a system call, because not every kernel reads partition tables. */
static int add_partition(int fd, uint64_t size)
{
	struct blkpg_partition partition = {
	    .start = PARTITION_START, .length = (long long)(size - PARTITION_START), .pno = 1};
	struct blkpg_ioctl_arg arg = {
	    .op = BLKPG_ADD_PARTITION, .datalen = sizeof(partition), .data = &partition};

	return ioctl(fd, BLKPG, &arg) < 0 ? -errno : 0;
}

static uint32_t flags_for(const struct loop_wanted *wanted)
{
	return LO_FLAGS_AUTOCLEAR | (wanted->read_only ? LO_FLAGS_READ_ONLY : 0) |
	       (wanted->partition ? LO_FLAGS_PARTSCAN : 0);
}

int loop_device_make(struct loop_device *device, struct loop_wanted wanted)
{
	struct loop_config config = {.block_size = wanted.block_size};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int result = -errno;

	if (control < 0)
		return result;
	device->backing = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (device->backing < 0 || ftruncate(device->backing, (off_t)wanted.size) < 0) {
		result = -errno;
	} else {
		config.fd = (uint32_t)device->backing;
		config.info.lo_flags = flags_for(&wanted);
		result = attach(device, control, &config);
		if (result == 0 && wanted.partition && (result = add_partition(device->fd, wanted.size)) < 0)
			close(device->fd);
	}
	close(control);
	if (result < 0 && device->backing >= 0)
		close(device->backing);
	return result;
}

int loop_device_resize(struct loop_device *device, uint64_t size)
{
	if (ftruncate(device->backing, (off_t)size) < 0 || ioctl(device->fd, LOOP_SET_CAPACITY) < 0)
		return -errno;
	return 0;
}

void loop_device_drop(struct loop_device *device)
{
	close(device->fd);
	close(device->backing);
}
