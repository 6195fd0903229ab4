/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command of a ring: makes a scsi_cmd of a fetched entry, and writes the result of the command to the
 * ring.
 */
#include "ring/task.h"

#include <stdlib.h>
#include <string.h>

#include "scsi/opcodes.h"
#include "scsi/sense.h"
#include "ring/uapi.h"
#include "util/bytes.h"
#include "util/iov.h"

static void answer(struct tcmu_device *device, uint16_t cmd_id, uint8_t status, const uint8_t *sense,
		   uint32_t sense_len, uint32_t read_len)
{
	tcmu_ring_complete(&device->ring, &(struct tcmu_response){.cmd_id = cmd_id,
								  .scsi_status = status,
								  .sense = sense,
								  .sense_len = sense_len,
								  .read_len = read_len});
	tcmu_device_publish(device);
}

static void answer_malformed(struct tcmu_device *device, uint16_t cmd_id)
{
	uint8_t sense[SCSI_SENSE_MAX];
	unsigned len = scsi_sense_build(sense, SENSE_INVALID_FIELD_IN_CDB, false);

	answer(device, cmd_id, SCSI_CHECK_CONDITION, sense, len, 0);
}

static void task_free(struct tcmu_task *task)
{
	struct tcmu_device *device = task->device;

	if (task->bounce)
		loop_buffer_put(device->loop, task->bounce, task->bounce_len);
	if (task->ring_iov_len)
		loop_buffer_put(device->loop, task->ring_iov, task->ring_iov_len);
	list_del(&task->node);
	slab_put(&device->tasks, task);
}

/*
 * Allocates the iovecs. One half of the array describes all data of the request, and the other half the part
 * that the command uses.
 */
static bool take_iovecs(struct tcmu_task *task, const struct tcmu_request *request)
{
	task->ring_iov = task->small;
	if (request->iov_cnt > TCMU_TASK_IOVS) {
		task->ring_iov_len = 2 * request->iov_cnt * sizeof(struct iovec);
		task->ring_iov = loop_buffer_get(task->device->loop, task->ring_iov_len);
	}
	if (!task->ring_iov) {
		task->ring_iov_len = 0;
		return false;
	}
	task->iov_cnt = tcmu_ring_iovecs(&task->device->ring, request, task->ring_iov);
	task->data_len = request->data_len;
	return true;
}

/* Gives the command the first len bytes of the request's data. */
static void use_ring_data(struct tcmu_task *task, uint64_t len)
{
	task->cmd.iov = task->ring_iov + task->iov_cnt;
	task->cmd.iovcnt = iov_slice(task->ring_iov, task->iov_cnt, 0, len, task->cmd.iov, task->iov_cnt);
}

static bool task_data_in(struct scsi_cmd *cmd, uint64_t len)
{
	struct tcmu_task *task = container_of(cmd, struct tcmu_task, cmd);

	if (len <= task->data_len) {
		use_ring_data(task, len);
		return true;
	}
	task->bounce = loop_buffer_get(cmd->loop, len);
	if (!task->bounce)
		return false;
	task->bounce_len = len;
	task->bounce_iov = (struct iovec){task->bounce, len};
	cmd->iov = &task->bounce_iov;
	cmd->iovcnt = 1;
	return true;
}

/*
 * Copies Data-In into the data area. Returns the value of READ_LEN, which tells the kernel that there is less
 * data than expected. If the kernel does not know READ_LEN, or if there is no data (the kernel takes 0 for
 * "all"), the rest is zeroed, because it contains bytes of other commands.
 */
static uint32_t finish_data_in(struct tcmu_task *task)
{
	uint64_t len = MIN(task->cmd.data_in_len, task->data_len);

	if (task->bounce)
		iov_copy_to(task->ring_iov, task->iov_cnt, 0, task->bounce, len);
	if (len == task->data_len)
		return 0;
	if (len && (task->device->ring.flags & TCMU_FLAG_READ_LEN))
		return (uint32_t)len;
	iov_fill(task->ring_iov, task->iov_cnt, len, 0, task->data_len - len);
	return 0;
}

static void task_done(struct scsi_cmd *cmd)
{
	struct tcmu_task *task = container_of(cmd, struct tcmu_task, cmd);
	uint32_t read_len = 0;

	if (cmd->aborted) {
		/* The kernel does not pass this status on, but it waits for it. */
		cmd->status = SCSI_TASK_ABORTED;
		cmd->sense_len = 0;
	} else if (cmd->op && cmd->op->direction == SCSI_DATA_IN) {
		read_len = finish_data_in(task);
	}
	answer(task->device, task->cmd_id, cmd->status, cmd->sense, cmd->sense_len, read_len);
	task_free(task);
}

static const struct scsi_cmd_ops task_ops = {.data_in = task_data_in, .done = task_done};

static void task_run(struct tcmu_task *task, const struct tcmu_request *request)
{
	struct scsi_cmd *cmd = &task->cmd;

	memcpy(task->cdb, request->cdb, request->cdb_len);
	scsi_cmd_init(cmd, &task_ops, task->device->lu, &task->device->nexus, NULL, task->device->loop,
		      task->cdb, request->cdb_len);
	cmd->deadline_ns = task->deadline_ns;
	scsi_parse(cmd);
	if (cmd->direction == SCSI_DATA_OUT) {
		cmd->data_out_len = MIN(cmd->gather_len, task->data_len);
		use_ring_data(task, cmd->data_out_len);
	}
	scsi_submit(cmd);
}

void tcmu_task_start(struct tcmu_device *device, const struct tcmu_request *request)
{
	if (request->malformed) {
		answer_malformed(device, request->cmd_id);
		return;
	}

	struct tcmu_task *task = slab_get(&device->tasks);

	if (!task) {
		answer(device, request->cmd_id, SCSI_TASK_SET_FULL, NULL, 0, 0);
		return;
	}
	task->device = device;
	task->cmd_id = request->cmd_id;
	task->deadline_ns = device->expiry.deadline_ns;
	task->bounce = NULL;
	task->ring_iov_len = 0;
	list_add_tail(&device->inflight, &task->node);
	if (take_iovecs(task, request)) {
		task_run(task, request);
		return;
	}
	answer(device, request->cmd_id, SCSI_TASK_SET_FULL, NULL, 0, 0);
	task_free(task);
}

void tcmu_task_refuse(struct tcmu_device *device, const struct tcmu_request *request)
{
	answer(device, request->cmd_id, SCSI_BUSY, NULL, 0, 0);
}

static void abort_done(struct scsi_tmf *tmf)
{
	free(tmf);
}

static struct tcmu_task *find(const struct list *tasks, uint16_t cmd_id)
{
	struct list *node, *tmp;

	list_for_each (tasks, node, tmp) {
		struct tcmu_task *task = list_entry(node, struct tcmu_task, node);

		if (task->cmd_id == cmd_id)
			return task;
	}
	return NULL;
}

static void abort_task(struct tcmu_device *device, struct tcmu_task *task)
{
	/* Without memory, the command is not aborted and ends by itself. */
	struct scsi_tmf *tmf = task ? calloc(1, sizeof(*tmf)) : NULL;

	if (!tmf)
		return;
	tmf->function = SCSI_ABORT_TASK;
	tmf->lu = device->lu;
	tmf->nexus = &device->nexus;
	tmf->task = &task->cmd;
	tmf->loop = device->loop;
	tmf->done = abort_done;
	scsi_tmf_submit(tmf);
}

/*
 * Aborts commands. Some of the IDs may belong to commands that have ended meanwhile. These are not found,
 * which is not an error.
 */
void tcmu_task_abort(struct tcmu_device *device, const struct tcmu_request *request)
{
	uint16_t ids[256];
	uint32_t count = MIN(request->tmr_count, (uint32_t)ARRAY_SIZE(ids));

	/* The list is copied, because an abort that completes a command writes to the ring. */
	if (count)
		memcpy(ids, request->tmr_ids, count * sizeof(ids[0]));
	/* A command that has expired was cancelled before, but is marked as aborted here. */
	for (uint32_t i = 0; i < count; i++) {
		struct tcmu_task *task = find(&device->inflight, ids[i]);

		abort_task(device, task ? task : find(&device->expiry.expired, ids[i]));
	}
}
