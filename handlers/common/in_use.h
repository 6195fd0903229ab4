/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who else uses a file or a block device, as far as /proc, /sys and configfs show it. All may
 * block.
 */
#ifndef COMMON_IN_USE_H
#define COMMON_IN_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Where the kernel shows its data; tests show their own. */
extern const char *in_use_configfs; /* "/sys/kernel/config/target" */
extern const char *in_use_blocks;   /* "/sys/block" */

/*
 * Whether a loop device is attached to this regular file; text: "/dev/loop0 is attached to it". A
 * loop device that only reads does not disturb a reader.
 */
bool in_use_by_loop(const struct stat *st, bool read_only, char *text, size_t len);
/*
 * Whether a backstore of the kernel's own target uses this file or block device; text: "the
 * kernel's backstore fileio_0/disk uses it".
 */
bool in_use_by_backstore(const struct stat *st, char *text, size_t len);
/* Names a process that has this file or block device open: "process 4711 (qemu) has it open". */
void in_use_by_process(const struct stat *st, char *text, size_t len);
#endif
