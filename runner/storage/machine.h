/* SPDX-License-Identifier: Apache-2.0 */
/* A value that distinguishes this machine from others. */
#ifndef STORAGE_MACHINE_H
#define STORAGE_MACHINE_H

#include "storage/digest.h"
#include "util/error.h"

/*
 * Derives a value from the ID of this machine, which is the contents of path (/etc/machine-id). If that file
 * has no ID, a random one is created once in the state folder. folder is a descriptor of the state folder, or
 * -1 if there is none; in this case the value changes with each start. The ID itself is confidential
 * (machine-id(5)), so only the derived value is ever shown or saved. Returns 0, or -errno with error set and
 * a random value.
 */
int storage_machine_derive(const char *path, int folder, char machine[DIGEST_HEX_SIZE], struct error *error);
#endif
