/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage for fuzz_device.c: the real backstore on a handler in this file. The fuzzer decides when and how
 * the handler's I/O ends, when jobs of the pool run, and how large the storage is.
 */
#ifndef TESTS_FUZZ_FUZZ_STORAGE_H
#define TESTS_FUZZ_FUZZ_STORAGE_H

#include "loop/loop.h"
#include "scsi/scsi.h"

/* how selects the properties of the handler: threads, splitting, thin provisioning and so on. */
struct backstore *fuzz_storage_open(struct loop_set *set, uint8_t how);
void fuzz_storage_close(struct backstore *bs);
/* Changes the size of the storage and lets the backstore notice it. */
void fuzz_storage_resize(struct backstore *bs, uint8_t choice);
/* Ends the oldest I/O at the handler. Returns false if there is none. */
bool fuzz_storage_end_io(void);
/* Lets the next I/O at the handler fail. */
void fuzz_storage_fail_next(enum tcmur_status status);
/* Runs one job of the pool. Returns false if there is none. */
bool fuzz_storage_run_job(void);
/* Runs all jobs of the pool. */
void fuzz_storage_run_jobs(void);
#endif
