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
	uint64_t deadline_ns; /* In CLOCK_MONOTONIC: when the command is cancelled; 0 means never. */
	uint16_t cmd_id;
	uint8_t cdb[SCSI_CDB_MAX];
	/* The number of iovecs in ring_iov, which describe the request's data in the data area. */
	uint32_t iov_cnt;
	uint64_t data_len; /* The length of this data in bytes. */
	struct iovec
	    /*
	     * Points to small, or to a buffer of the loop. It is followed by room for as many iovecs in
	     * cmd.iov.
	     */
	    *ring_iov;
	size_t ring_iov_len; /* The bytes of that buffer; 0 for small. */
	void *bounce;        /* Holds the Data-In that exceeds what the fabric expects. */
	uint64_t bounce_len;
	struct iovec bounce_iov;
	struct iovec small[2 * TCMU_TASK_IOVS];
};

/* Executes a fetched command. It is completed in the ring exactly once, whatever the command is. */
void tcmu_task_start(struct tcmu_device *device, const struct tcmu_request *request);
/* Answers the command with BUSY; initiators repeat it then. */
void tcmu_task_refuse(struct tcmu_device *device, const struct tcmu_request *request);
/* A notice of task management: the kernel has aborted these commands and waits for their completion. */
void tcmu_task_abort(struct tcmu_device *device, const struct tcmu_request *request);
#endif
