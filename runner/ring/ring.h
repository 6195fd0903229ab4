/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command ring of one TCMU device: fetching entries and publishing completions. Only the shared memory is
 * known here, no descriptor and no device, so that a double of the kernel can drive every rule of it in a
 * unit test.
 *
 * One thread owns a ring. Nothing that the kernel wrote is trusted before it is checked, and what is needed
 * later is copied at fetch, because completing one command overwrites the slot of another (out-of-order
 * completion).
 */
#ifndef RING_RING_H
#define RING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "util/error.h"

#define TCMU_CDB_MAX 260

struct tcmu_ring {
	uint8_t *map;
	size_t map_len;
	uint32_t cmdr_off, cmdr_size;
	size_t data_off;      /* the data area is [data_off, map_len) */
	uint16_t flags;       /* TCMU_FLAG_* of this kernel */
	uint32_t head;        /* end of the entries, as last seen */
	uint32_t fetch;       /* next entry to fetch, offset in the ring */
	uint32_t tail;        /* next slot to complete into; published up to mailbox->cmd_tail */
	uint32_t outstanding; /* commands fetched and not completed */
	bool dirty;           /* tail moved since it was published */
	bool broken;          /* the kernel's side makes no sense; nothing is fetched any more */
};

/* What an entry asks. The pointers lead into the ring: valid until the next completion, so copy first. */
struct tcmu_request {
	uint8_t op; /* enum tcmu_op: CMD or TMR */
	uint16_t cmd_id;
	const uint8_t *cdb; /* CMD */
	uint32_t cdb_len;
	uint32_t iov_cnt;
	const struct tcmu_uiov *iov; /* each checked to lie in the data area */
	uint64_t data_len;           /* sum of iov lengths: the fabric's expected data length */
	uint8_t tmr_type;            /* TMR */
	uint32_t tmr_count;
	const uint16_t *tmr_ids;
	bool malformed; /* CMD: the entry is framed right but CDB or data are not; answer, don't run */
};

/* How a command ended. */
struct tcmu_response {
	uint16_t cmd_id;
	uint8_t scsi_status;
	const uint8_t *sense; /* sense_len bytes with CHECK CONDITION, at most TCMU_SENSE_LEN */
	uint32_t sense_len;
	uint32_t
	    read_len; /* bytes of Data-In that are valid, when short and the kernel knows READ_LEN; else 0 */
};

/*
 * Takes a mapping of map_len bytes. Continues at cmd_tail, as after a clean stop. Returns 0; -EPROTONOSUPPORT
 * for another version or a kernel without out-of-order completion; -EINVAL when the mailbox contradicts the
 * mapping.
 */
int tcmu_ring_attach(struct tcmu_ring *ring, void *map, size_t map_len, struct error *error);

/* Sees what the kernel has put in by now; true when there is something to fetch. */
bool tcmu_ring_look(struct tcmu_ring *ring);

/* 1 with *request filled, 0 when the ring is empty, -EPROTO (and ring->broken) when an entry cannot be
 * framed. Looks anew only when all that was seen is fetched. */
int tcmu_ring_fetch(struct tcmu_ring *ring, struct tcmu_request *request);

/* Returns true when the kernel has put in entries that are not fetched, seen or not. */
bool tcmu_ring_pending(const struct tcmu_ring *ring);

/* Makes iovecs of a request's data, at most request->iov_cnt; returns their number. */
uint32_t tcmu_ring_iovecs(const struct tcmu_ring *ring, const struct tcmu_request *request,
			  struct iovec *iov);

/* Writes the completion of a fetched command into the slot at tail. Becomes visible with publish. */
void tcmu_ring_complete(struct tcmu_ring *ring, const struct tcmu_response *response);

/* Publishes all completions; true when there was something to publish, and the kernel is to be told
 * (doorbell). */
bool tcmu_ring_publish(struct tcmu_ring *ring);
#endif
