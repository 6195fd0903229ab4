/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with a name (memfd), by which the next process finds out to which disk it belongs. */
#ifndef STORAGE_MEMFD_H
#define STORAGE_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

#define MEMFD_PREFIX    "tcmu-runner-"
#define MEMFD_NAME_SIZE 64

/* Writes the name for the memory of the disk with this key, such as "tcmu-runner-0123456789abcdef...". */
void memfd_name_of_key(const char *key, char name[MEMFD_NAME_SIZE]);
/* Reads the name that was given to memfd_create(2). Returns false if fd is not a memfd. */
bool memfd_read_name(int fd, char name[MEMFD_NAME_SIZE]);
/*
 * Creates a memfd and seals its size, so that another process with the descriptor cannot shorten the memory
 * of the disk. Returns the descriptor, or -errno.
 */
int memfd_make(const char *name, uint64_t size);
#endif
