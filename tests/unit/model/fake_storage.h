/* SPDX-License-Identifier: Apache-2.0 */
/* Storage objects without storage, for tests of the model. They open and close when the test says so. */
#ifndef TESTS_FAKE_STORAGE_H
#define TESTS_FAKE_STORAGE_H

#include "storage/storage.h"

/* If not 0, the next storage_open() fails with this errno; in patient mode it opens a stand-in. */
extern int fake_open_error;
/* The number of logical units that are referenced. */
extern unsigned fake_units;

/* From now on, another logical unit serves the disk. */
void fake_storage_swap(struct storage *storage);
#endif
