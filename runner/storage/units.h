/* SPDX-License-Identifier: Apache-2.0 */
/* The identities of all logical units of this daemon: no two have the same. */
#ifndef STORAGE_UNITS_H
#define STORAGE_UNITS_H

#include <pthread.h>

#include "storage/identity.h"
#include "util/list.h"

struct storage_units {
	/* Guards list; a leaf. */
	pthread_mutex_t lock;
	struct list list;
};

void storage_units_init(struct storage_units *units);
void storage_units_destroy(struct storage_units *units);
#endif
