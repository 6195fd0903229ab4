/* SPDX-License-Identifier: Apache-2.0 */
/* LUN structures (SAM-5 4.7). Any thread. */
#ifndef MODEL_LUN_H
#define MODEL_LUN_H

#include <stdint.h>

/* The largest LUN: flat space addressing (SAM-5 4.7.7.4). */
#define MODEL_LUN_MAX 16383

/* Returns the number of an 8-byte LUN structure, or -1 if its form is not supported. */
int model_lun_decode(const uint8_t lun[8]);
/* Writes the LUN structure of a number, which is at most MODEL_LUN_MAX. */
void model_lun_encode(unsigned number, uint8_t lun[8]);
#endif
