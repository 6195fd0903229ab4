/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UTIL_SIZE_H
#define UTIL_SIZE_H

#include <stdint.h>

/* "4096", "64K", "1M", "1G", "2T" (powers of 1024; an optional trailing "iB" or "B") into bytes.
 * Returns 0; -EINVAL if text is not a size; -ERANGE if it does not fit in 63 bits. */
int size_parse(const char *text, uint64_t *bytes);
#endif
