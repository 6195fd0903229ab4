/* SPDX-License-Identifier: Apache-2.0 */
/* Storage objects without storage, for tests of the model: they open and close when the test says so. */
#ifndef TESTS_FAKE_STORAGE_H
#define TESTS_FAKE_STORAGE_H

#include "storage/storage.h"

/* The next storage_open() fails with this errno, in patient mode with a stand-in; 0: it succeeds. */
extern int fake_open_error;
/* Logical units that are referenced somewhere. */
extern unsigned fake_units;

/* Another logical unit serves the disk from now on. */
void fake_storage_swap(struct storage *storage);
#endif
