/* SPDX-License-Identifier: Apache-2.0 */
/* The identities of all logical units of this daemon. No two of them are equal. */
#ifndef STORAGE_UNITS_H
#define STORAGE_UNITS_H

#include <pthread.h>

#include "storage/identity.h"
#include "util/list.h"

#define STORAGE_UNIT_BUCKETS 4096

struct storage_units {
	/* Guards the lists. No other lock is taken while it is held. */
	pthread_mutex_t lock;
	/* Hash tables of struct storage_unit by serial number and by designator. */
	struct list by_serial[STORAGE_UNIT_BUCKETS], by_naa[STORAGE_UNIT_BUCKETS];
};

void storage_units_init(struct storage_units *units);
void storage_units_destroy(struct storage_units *units);
#endif
