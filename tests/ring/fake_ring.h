/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake of the kernel's side of a TCMU ring, on a memfd. It writes entries as target_core_user does (with a
 * PAD before the end, and with IDs that are used again after they were reaped) and reaps completions by the
 * kernel's rules. It fails the test if the daemon does something that would break or hang the real kernel.
 */
#ifndef TESTS_FAKE_RING_H
#define TESTS_FAKE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/uapi.h"

#define FAKE_IDS 256

struct fake_ring {
	int fd;
	uint8_t *map;
	size_t map_len, data_off;
	uint32_t head; /* The next free offset in the ring. */
	uint32_t tail; /* All completions before this offset have been reaped. */
	bool in_flight[FAKE_IDS];
	uint8_t status[FAKE_IDS]; /* The status of the last completion with this ID. */
	uint8_t sense_key[FAKE_IDS];
	uint32_t read_len[FAKE_IDS];
	unsigned completions;
};

void fake_ring_init(struct fake_ring *ring, uint32_t ring_size, size_t data_size, uint16_t flags);
void fake_ring_free(struct fake_ring *ring);
/*
 * Puts one command with a CDB into the ring. The iovecs are pairs of an offset in the data area and a length.
 * Returns the command's ID, or -1 if the ring is full.
 */
int fake_ring_put(struct fake_ring *ring, const uint8_t *cdb, uint32_t cdb_len, const struct tcmu_uiov *iov,
		  uint32_t iov_cnt);
/* Puts a notice of task management into the ring. Returns false if the ring is full. */
bool fake_ring_put_tmr(struct fake_ring *ring, uint8_t type, const uint16_t *ids, uint32_t count);
/* Puts raw bytes into the ring, for entries that are wrong on purpose. The head moves by len. */
void *fake_ring_put_raw(struct fake_ring *ring, uint32_t len_op, uint32_t len);
/* Takes all completions up to cmd_tail, as the kernel does on a doorbell. Checks the kernel's rules. */
unsigned fake_ring_reap(struct fake_ring *ring);
bool fake_ring_idle(const struct fake_ring *ring);
#endif
