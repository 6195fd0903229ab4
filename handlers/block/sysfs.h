/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells of a block device in /sys and /proc. All may block. */
#ifndef BLOCK_SYSFS_H
#define BLOCK_SYSFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of the device, or of the disk where it is a partition ("queue/rotational"); fallback when there is none. */
uint64_t sysfs_number(dev_t device, const char *attribute, uint64_t fallback);
/* The same for one line of text, without the newline; "" when there is none. */
void sysfs_text(dev_t device, const char *attribute, char *text, size_t len);
/* Says who uses the device, as far as can be seen: "mounted at /home", "held by dm-3" … */
void sysfs_user(dev_t device, char *text, size_t len);
#endif
