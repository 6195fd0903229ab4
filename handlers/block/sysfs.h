/* SPDX-License-Identifier: Apache-2.0 */
/* The data that the kernel reports about a block device in /sys and /proc. All functions may block. */
#ifndef BLOCK_SYSFS_H
#define BLOCK_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The folders in which the kernel and udev show their data. Tests set folders of their own. */
extern const char *sysfs_devices; /* "/sys/dev/block" */
extern const char *udev_data;     /* "/run/udev/data" */

/*
 * Reads a number of the device, or of its disk if the device is a partition, for example "queue/rotational".
 * Returns fallback if there is none.
 */
uint64_t sysfs_number(dev_t device, const char *attribute, uint64_t fallback);
/* Reads one line of text in the same way, without the newline. Sets "" if there is none. */
void sysfs_text(dev_t device, const char *attribute, char *text, size_t len);
/* Reads a line of text of the device itself. Returns false and sets "" if there is none. */
bool sysfs_own_text(dev_t device, const char *attribute, char *text, size_t len);
/* Reads a binary attribute of the device itself. Returns the number of bytes, or 0 if there is none. */
size_t sysfs_bytes(dev_t device, const char *attribute, uint8_t *bytes, size_t len);
/* Reads a variable of the device's uevent. Returns false and sets "" if there is none. */
bool sysfs_uevent(dev_t device, const char *name, char *text, size_t len);
/*
 * Reads a property that udev has found. Returns false and sets "" if there is none, or if there is no udev.
 */
bool udev_property(dev_t device, const char *name, char *text, size_t len);
/* Finds the disk of a partition. Returns false if there is none. */
bool sysfs_disk(dev_t partition, dev_t *disk);
/*
 * Describes the user of the device: "it is mounted at /home", "the device dm-3 is built on it". Returns false
 * if /sys and /proc show no user.
 */
bool sysfs_find_user(dev_t device, char *text, size_t len);
#endif
