/* SPDX-License-Identifier: Apache-2.0 */
/* Storage objects without storage, for tests of the model. They open and close when the test says so. */
#ifndef TESTS_FAKE_STORAGE_H
#define TESTS_FAKE_STORAGE_H

#include "storage/storage.h"

/* If not 0, the next storage_open() fails with this errno; in patient mode it opens a stand-in. */
extern int fake_open_error;
/* The number of logical units that are referenced. */
extern unsigned fake_units;

/* How the storage objects make and end their logical units. */
struct fake_unit_ops {
	/* Returns what destroy() gets, and the logical unit in *scsi. */
	void *(*create)(const struct storage_context *context, const char *name, struct scsi_lu **scsi);
	/* Main thread. The last reference to the logical unit has gone. */
	void (*destroy)(void *unit);
};
/* NULL: a logical unit is an address that can only be compared. */
extern const struct fake_unit_ops *fake_unit_ops;

/* From now on, another logical unit serves the disk. */
void fake_storage_swap(struct storage *storage);
#endif
