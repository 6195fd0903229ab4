/* SPDX-License-Identifier: Apache-2.0 */
/* The identities of all logical units of this daemon: no two have the same. */
#ifndef STORAGE_UNITS_H
#define STORAGE_UNITS_H

#include <pthread.h>

#include "storage/identity.h"
#include "util/list.h"

#define STORAGE_UNIT_BUCKETS 4096

struct storage_units {
	/* Guards the lists; a leaf. */
	pthread_mutex_t lock;
	/* struct storage_unit by the hash of its serial number and of its designator. */
	struct list by_serial[STORAGE_UNIT_BUCKETS], by_naa[STORAGE_UNIT_BUCKETS];
};

void storage_units_init(struct storage_units *units);
void storage_units_destroy(struct storage_units *units);
#endif
