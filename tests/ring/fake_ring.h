/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double of the kernel's side of a TCMU ring, on a memfd: puts entries in as target_core_user does (PAD
 * before the end, ids reused once reaped) and reaps completions by its rules, failing the test on what would
 * break or hang it.
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
	uint32_t head; /* next free offset in the ring */
	uint32_t tail; /* reaped up to here */
	bool in_flight[FAKE_IDS];
	uint8_t status[FAKE_IDS]; /* of the last completion of this id */
	uint8_t sense_key[FAKE_IDS];
	uint32_t read_len[FAKE_IDS];
	unsigned completions;
};

void fake_ring_init(struct fake_ring *ring, uint32_t ring_size, size_t data_size, uint16_t flags);
void fake_ring_free(struct fake_ring *ring);
/* One command with a CDB and iovecs given as (offset in the data area, length) pairs. Returns its id, or -1
 * when the ring is full. */
int fake_ring_put(struct fake_ring *ring, const uint8_t *cdb, uint32_t cdb_len, const struct tcmu_uiov *iov,
		  uint32_t iov_cnt);
/* A task management notice. False when the ring is full. */
bool fake_ring_put_tmr(struct fake_ring *ring, uint8_t type, const uint16_t *ids, uint32_t count);
/* Raw bytes as an entry, for hostile ones; len is what head moves by. */
void *fake_ring_put_raw(struct fake_ring *ring, uint32_t len_op, uint32_t len);
/* What the kernel does on a doorbell: takes all completions up to cmd_tail. Asserts its own rules. */
unsigned fake_ring_reap(struct fake_ring *ring);
bool fake_ring_idle(const struct fake_ring *ring);
#endif
