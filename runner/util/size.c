/* SPDX-License-Identifier: Apache-2.0 */
/* Converts text such as "64K" or "1GiB" to a number of bytes. */
#include "util/size.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Returns the exponent of the power of two that the unit means, or -1. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "kmgtpe";
	const char *found;

	if (!*unit || !strcasecmp(unit, "b"))
		return 0;
	found = strchr(letters, *unit | 0x20);
	if (!found)
		return -1;
	if (unit[1] && strcasecmp(unit + 1, "b") != 0 && strcasecmp(unit + 1, "ib") != 0)
		return -1;
	return 10 * (int)(found - letters + 1);
}

int size_parse(const char *text, uint64_t *bytes)
{
	uint64_t value = 0;
	const char *p = text;
	int shift;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (value > (INT64_MAX - (uint64_t)(*p - '0')) / 10)
			return -ERANGE;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	shift = unit_shift(p);
	if (p == text || shift < 0)
		return -EINVAL;
	if (value > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*bytes = value << shift;
	return 0;
}
