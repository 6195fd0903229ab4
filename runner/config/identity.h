/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_IDENTITY_H
#define CONFIG_IDENTITY_H

#define CONTROL_SERIAL_LEN 32

/* A unit serial number that stays the same over restarts: made from the names of the target and of the
 * backstore. */
void control_make_serial(const char *target, const char *backstore, char serial[CONTROL_SERIAL_LEN + 1]);
#endif
