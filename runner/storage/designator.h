/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_DESIGNATOR_H
#define STORAGE_DESIGNATOR_H

#include <stdint.h>

/*
 * Writes the NAA designator of a logical unit with this unit serial number (SPC-4 7.8.6.6.5, NAA IEEE
 * Registered Extended).
 */
void storage_designator(const char *serial, uint8_t naa[16]);
#endif
