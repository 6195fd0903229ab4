/* SPDX-License-Identifier: Apache-2.0 */
/* LUN structures, SAM-5 4.7.4: single level, peripheral device or flat space addressing. */
#include "model/lun.h"

#include <string.h>

#define LUN_METHOD_PERIPHERAL 0u
#define LUN_METHOD_FLAT       1u

int model_lun_decode(const uint8_t lun[8])
{
	static const uint8_t no_lower_levels[6];
	unsigned method = lun[0] >> 6;
	unsigned high = lun[0] & 0x3f;

	if (memcmp(lun + 2, no_lower_levels, sizeof(no_lower_levels)) != 0)
		return -1;
	/* Bus identifier 0 means a logical unit of this device. */
	if (method == LUN_METHOD_PERIPHERAL && high == 0)
		return lun[1];
	if (method == LUN_METHOD_FLAT)
		return (int)(high << 8 | lun[1]);
	return -1;
}

/*
 * Small numbers up to 255 use peripheral addressing, as initiators expect; larger numbers up to 16383 use
 * flat addressing.
 */
void model_lun_encode(unsigned number, uint8_t lun[8])
{
	memset(lun, 0, 8);
	lun[1] = (uint8_t)number;
	if (number > 0xff)
		lun[0] = (uint8_t)(LUN_METHOD_FLAT << 6 | (number >> 8 & 0x3f));
}
