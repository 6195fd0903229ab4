/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells of a block device in /sys and /proc. All may block. */
#ifndef BLOCK_SYSFS_H
#define BLOCK_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where the kernel and udev show their data; tests show their own. */
extern const char *sysfs_devices; /* "/sys/dev/block" */
extern const char *udev_data;     /* "/run/udev/data" */

/*
 * Of the device, or of the disk where it is a partition ("queue/rotational"); fallback when there
 * is none.
 */
uint64_t sysfs_number(dev_t device, const char *attribute, uint64_t fallback);
/* The same for one line of text, without the newline; "" when there is none. */
void sysfs_text(dev_t device, const char *attribute, char *text, size_t len);
/* A line of text of the device itself. False, and "": there is none. */
bool sysfs_own_text(dev_t device, const char *attribute, char *text, size_t len);
/* A binary attribute of the device itself; returns the number of bytes, 0: there is none. */
size_t sysfs_bytes(dev_t device, const char *attribute, uint8_t *bytes, size_t len);
/* A variable of the device's uevent. False, and "": there is none. */
bool sysfs_uevent(dev_t device, const char *name, char *text, size_t len);
/* A property that udev has found. False, and "": there is none, or there is no udev. */
bool udev_property(dev_t device, const char *name, char *text, size_t len);
/* The disk of a partition. */
bool sysfs_disk(dev_t partition, dev_t *disk);
/*
 * Says who uses the device: "it is mounted at /home", "it is held by dm-3". False: /sys and /proc
 * do not show it.
 */
bool sysfs_user(dev_t device, char *text, size_t len);
#endif
