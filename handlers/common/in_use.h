/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds other users of a file or a block device, as far as /proc, /sys and configfs show them. All functions
 * may block.
 */
#ifndef COMMON_IN_USE_H
#define COMMON_IN_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* The folders in which the kernel shows its data. Tests set folders of their own. */
extern const char *in_use_configfs; /* "/sys/kernel/config/target" */
extern const char *in_use_blocks;   /* "/sys/block" */

/*
 * Returns whether a loop device is attached to this regular file. Sets text, for example to "/dev/loop0 is
 * attached to it". If read_only is true, a loop device that only reads is ignored.
 */
bool in_use_by_loop(const struct stat *st, bool read_only, char *text, size_t len);
/*
 * Returns whether a backstore of the kernel's own target uses this file or block device. Sets text, for
 * example to "the kernel's backstore fileio_0/disk uses it".
 */
bool in_use_by_backstore(const struct stat *st, char *text, size_t len);
/*
 * Writes a text about a process that has this file or block device open, for example "process 4711 (qemu) has
 * it open".
 */
void in_use_by_process(const struct stat *st, char *text, size_t len);
#endif
