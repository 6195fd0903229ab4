/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_REGISTRY_H
#define STORAGE_REGISTRY_H

#include "storage/units.h"

struct storage_registry {
	/* A descriptor of the state folder; -1: there is none. */
	int folder;
	/* The derived ID of this machine, machine.h. */
	char machine[DIGEST_HEX_SIZE];
	struct storage_units units;
};

/* Names the object for the state folder. */
void storage_object_key(const struct storage_object *object, char *key, size_t size);
#endif
