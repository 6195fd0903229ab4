/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device on a real loop, with the real device server and a handler. The kernel is replaced by a fake ring,
 * and by a socket pair instead of the UIO descriptor: what a test sends wakes the device, and what the device
 * sends is a doorbell.
 */
#ifndef TESTS_DEVICE_FIXTURE_H
#define TESTS_DEVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backstore/backstore.h"
#include "fake_ring.h"
#include "scsi/scsi.h"
#include "ring/device.h"
#include "util/bytes.h"

#define PAGE 4096u

struct fixture {
	struct loop_set set;
	struct backstore *bs;
	struct scsi_lu *lu;
	struct fake_ring ring;
	int uio; /* The kernel's end of the socket pair. */
	struct tcmu_device device;
	bool stopped, gone, first; /* Atomic. Set by callbacks of the device, and awaited with wait_flag(). */
};

/*
 * Loads the handlers of folder. The device serves config, and is not started yet. The pool has npool threads.
 */
void fixture_set_up(struct fixture *w, const char *folder, const char *config, unsigned npool);
void fixture_tear_down(struct fixture *w);
void fixture_stop(struct fixture *w);

void set_flag(bool *flag);
void wait_flag(const bool *flag);
void wake(struct fixture *w);
/* Waits for doorbells until n more completions are reaped. Fails if there are more than n. */
void wait_completions(struct fixture *w, unsigned n);
uint8_t *data(struct fixture *w, unsigned page);
/* Puts a command into the ring, with len bytes of data from page on. Returns its ID. */
int put(struct fixture *w, const uint8_t *cdb, uint32_t cdb_len, uint64_t page, uint64_t len);
/* Does the same, and waits for the completion. */
int run(struct fixture *w, const uint8_t *cdb, uint32_t cdb_len, uint64_t page, uint64_t len);
void rw10(uint8_t cdb[10], uint8_t opcode, uint32_t lba, uint16_t nblocks);
#endif
