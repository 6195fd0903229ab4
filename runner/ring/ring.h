/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command ring of one TCMU device: fetches entries and publishes completions. This code uses only the
 * shared memory, and neither a descriptor nor a device, so that a unit test can check every rule with a fake
 * kernel. One thread owns a ring. Everything that the kernel has written is checked before it is used. Data
 * that is needed later is copied when the entry is fetched, because the completion of one command overwrites
 * the slot of another one (out-of-order completion).
 */
#ifndef RING_RING_H
#define RING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "scsi/scsi.h"
#include "util/error.h"

struct tcmu_ring {
	uint8_t *map;
	size_t map_len;
	uint32_t cmdr_off, cmdr_size;
	size_t data_off; /* The data area is from data_off to the end of the mapping. */
	uint16_t flags;  /* The TCMU_FLAG_* of this kernel. */
	uint32_t head;   /* The end of the entries when the ring was last looked at. */
	uint32_t fetch;  /* The next entry to fetch, as an offset in the ring. */
	/* The next slot for a completion. The kernel sees the completions up to mailbox->cmd_tail. */
	uint32_t tail;
	uint32_t outstanding; /* The number of commands that are fetched and not completed. */
	bool dirty;           /* Whether the tail has moved since it was published. */
	/* Whether the kernel's side is inconsistent, so that nothing is fetched any more. */
	bool broken;
};

/*
 * The request in an entry. Its pointers lead into the ring and are valid until the next completion, so the
 * data must be copied before.
 */
struct tcmu_request {
	uint8_t op; /* An enum tcmu_op: CMD or TMR. */
	uint16_t cmd_id;
	const uint8_t *cdb; /* For CMD. */
	uint32_t cdb_len;
	uint32_t iov_cnt;
	const struct tcmu_uiov *iov; /* Each of them lies in the data area. */
	uint64_t data_len; /* The sum of the lengths in iov, which is the fabric's expected data length. */
	uint8_t tmr_type;  /* For TMR. */
	uint32_t tmr_count;
	const uint16_t *tmr_ids;
	/*
	 * For CMD: the length of the entry is valid, but its CDB or its data are not. The command must be
	 * answered and not executed.
	 */
	bool malformed;
};

/* The result of a command. */
struct tcmu_response {
	uint16_t cmd_id;
	uint8_t scsi_status;
	/* With CHECK CONDITION: the sense data, which have sense_len bytes, at most TCMU_SENSE_LEN. */
	const uint8_t *sense;
	uint32_t sense_len;
	/*
	 * The number of valid bytes of Data-In, if it is shorter than expected and the kernel knows READ_LEN;
	 * otherwise 0.
	 */
	uint32_t read_len;
};

/*
 * Begins to use a mapping of map_len bytes. Continues at cmd_tail, which is correct after a clean stop.
 * Returns 0, -EPROTONOSUPPORT for another version or a kernel without out-of-order completion, or -EINVAL if
 * the mailbox contradicts the mapping.
 */
int tcmu_ring_attach(struct tcmu_ring *ring, void *map, size_t map_len, struct error *error);

/* Reads how far the kernel has filled the ring. Returns true if there is something to fetch. */
bool tcmu_ring_look(struct tcmu_ring *ring);

/*
 * Returns 1 with *request filled, 0 if the ring is empty, or -EPROTO if an entry has no valid length; in this
 * case ring->broken is set. The function looks at the ring again only after it has fetched everything that
 * was seen before.
 */
int tcmu_ring_fetch(struct tcmu_ring *ring, struct tcmu_request *request);

/* Returns true if the kernel has added entries that are not fetched, whether a look has seen them or not. */
bool tcmu_ring_pending(const struct tcmu_ring *ring);

/* Makes iovecs of a request's data, at most request->iov_cnt. Returns their number. */
uint32_t tcmu_ring_iovecs(const struct tcmu_ring *ring, const struct tcmu_request *request,
			  struct iovec *iov);

/*
 * Writes the completion of a fetched command into the slot at the tail. tcmu_ring_publish() makes it visible.
 */
void tcmu_ring_complete(struct tcmu_ring *ring, const struct tcmu_response *response);

/*
 * Publishes all completions. Returns true if there was something to publish, and then the kernel must be
 * notified (doorbell).
 */
bool tcmu_ring_publish(struct tcmu_ring *ring);
#endif
