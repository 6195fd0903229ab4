/* SPDX-License-Identifier: Apache-2.0 */
/* One ring command on its way through the device server. On the device's loop. */
#ifndef RING_TASK_H
#define RING_TASK_H

#include "ring/device.h"

#define TCMU_TASK_IOVS 16

struct tcmu_task {
	struct scsi_cmd cmd;
	struct tcmu_device *device;
	struct list node;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, when it is called back; 0: never */
	uint16_t cmd_id;
	uint8_t cdb[TCMU_CDB_MAX];
	uint32_t iov_cnt;  /* of ring: the request's data, in the data area */
	uint64_t data_len; /* its bytes */
	struct iovec
	    *ring_iov;       /* small, or from the loop's buffers; followed by room for as many in cmd.iov */
	size_t ring_iov_len; /* bytes of that buffer, 0 for small */
	void *bounce;        /* Data-In that exceeds what the fabric expects */
	uint64_t bounce_len;
	struct iovec bounce_iov;
	struct iovec small[2 * TCMU_TASK_IOVS];
};

/* Runs a fetched command; it is completed in the ring exactly once, whatever it is. */
void tcmu_task_start(struct tcmu_device *device, const struct tcmu_request *request);
/* Answers BUSY, which initiators repeat. */
void tcmu_task_refuse(struct tcmu_device *device, const struct tcmu_request *request);
/* Task management notice: the kernel has aborted these commands and waits for their completion. */
void tcmu_task_abort(struct tcmu_device *device, const struct tcmu_request *request);
#endif
