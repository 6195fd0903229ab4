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
	if (method == LUN_METHOD_PERIPHERAL && high == 0) /* bus identifier 0: this device's own LUs */
		return lun[1];
	if (method == LUN_METHOD_FLAT)
		return (int)(high << 8 | lun[1]);
	return -1;
}

/* Peripheral up to 255, as initiators expect of small numbers; flat above (up to 16383). */
void model_lun_encode(unsigned number, uint8_t lun[8])
{
	memset(lun, 0, 8);
	lun[1] = (uint8_t)number;
	if (number > 0xff)
		lun[0] = (uint8_t)(LUN_METHOD_FLAT << 6 | (number >> 8 & 0x3f));
}
