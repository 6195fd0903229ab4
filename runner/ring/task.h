/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command of a ring while the device server executes it. All functions are called on the device's loop.
 */
#ifndef RING_TASK_H
#define RING_TASK_H

#include "ring/device.h"

#define TCMU_TASK_IOVS 16

struct tcmu_task {
	struct scsi_cmd cmd;
	struct tcmu_device *device;
	struct list node;
	/* The time of CLOCK_MONOTONIC at which the command is cancelled; 0 means never. */
	uint64_t deadline_ns;
	uint16_t cmd_id;
	uint8_t cdb[SCSI_CDB_MAX];
	/* The number of iovecs in ring_iov, which describe the request's data in the data area. */
	uint32_t iov_cnt;
	uint64_t data_len; /* The length of the request's data in bytes. */
	/*
	 * Points to small, or to a buffer of the loop. In both cases the iovecs are followed by room for the
	 * same number of iovecs, which cmd.iov uses.
	 */
	struct iovec *ring_iov;
	size_t ring_iov_len; /* The size of the loop's buffer, or 0 if ring_iov points to small. */
	void *bounce;        /* A buffer for the Data-In that exceeds the length which the fabric expects. */
	uint64_t bounce_len;
	struct iovec bounce_iov;
	struct iovec small[2 * TCMU_TASK_IOVS];
};

/* Executes a fetched command. It is completed in the ring exactly once, whatever the command is. */
void tcmu_task_start(struct tcmu_device *device, const struct tcmu_request *request);
/* Answers the command with BUSY. Initiators then repeat it. */
void tcmu_task_refuse(struct tcmu_device *device, const struct tcmu_request *request);
/*
 * Handles a notice of task management: the kernel has aborted these commands and waits for their completion.
 */
void tcmu_task_abort(struct tcmu_device *device, const struct tcmu_request *request);
#endif
