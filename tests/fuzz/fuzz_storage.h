/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage for fuzz_device.c: the real backstore on a handler that this file contains. The fuzzer
 * decides when the handler's I/O ends and how, when jobs of the pool run, and how large the storage
 * is.
 */
#ifndef TESTS_FUZZ_FUZZ_STORAGE_H
#define TESTS_FUZZ_FUZZ_STORAGE_H

#include "loop/loop.h"
#include "scsi/scsi.h"

/* how selects the properties of the handler: threads, splitting, thin provisioning and so on. */
struct backstore *fuzz_storage_open(struct loop_set *set, uint8_t how);
void fuzz_storage_close(struct backstore *bs);
/* The storage has another size, and the backstore looks for it. */
void fuzz_storage_resize(struct backstore *bs, uint8_t choice);
/* The I/O at the handler that was submitted first ends. false: there is none. */
bool fuzz_storage_end_io(void);
/* The next I/O at the handler fails. */
void fuzz_storage_fail_next(enum tcmur_status status);
/* Runs one job of the pool. false: there is none. */
bool fuzz_storage_run_job(void);
/* Runs all jobs of the pool. */
void fuzz_storage_run_jobs(void);
#endif
