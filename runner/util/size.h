/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UTIL_SIZE_H
#define UTIL_SIZE_H

#include <stdint.h>

/*
 * Converts "4096", "64K", "1M", "1G" or "2T" (powers of 1024; "iB" or "B" may follow) to a number of bytes.
 * Returns 0, -EINVAL if the text is not a size, or -ERANGE if the number does not fit into 63 bits.
 */
int size_parse(const char *text, uint64_t *bytes);
#endif
