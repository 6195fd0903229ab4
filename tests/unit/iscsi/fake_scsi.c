/* SPDX-License-Identifier: Apache-2.0 */
/* The fake device server: READ (10), WRITE (10), TEST UNIT READY, and an opcode that fails. */
#include "wire_fixture.h"

#define FAILING_OPCODE 0xc0

static struct list held = LIST_INIT(held);

void scsi_check(struct scsi_cmd *cmd, uint32_t sense);
void scsi_check(struct scsi_cmd *cmd, uint32_t sense)
{
	memset(cmd->sense, 0, 18);
	cmd->sense[0] = 0x70;
	cmd->sense[2] = (uint8_t)(sense >> 16);
	put_be16(cmd->sense + 12, (uint16_t)sense);
	cmd->sense_len = 18;
	cmd->status = SCSI_CHECK_CONDITION;
}

void scsi_parse(struct scsi_cmd *cmd)
{
	uint64_t len = get_be16(cmd->cdb + 7) * 512u;

	cmd->lba = get_be32(cmd->cdb + 2);
	cmd->direction = cmd->cdb[0] == 0x28   ? SCSI_DATA_IN
			 : cmd->cdb[0] == 0x2a ? SCSI_DATA_OUT
					       : SCSI_NO_DATA;
	if (cmd->lba * 512 + len > DISK_SIZE)
		cmd->direction = SCSI_NO_DATA;
	cmd->transfer_len = cmd->direction == SCSI_NO_DATA ? 0 : len;
	if (cmd->direction == SCSI_DATA_OUT && cmd->announced_len >= len)
		cmd->gather_len = len;
}

static void lend(struct scsi_cmd *cmd, uint8_t *at)
{
	cmd->lent[0] = (struct iovec){at, cmd->transfer_len};
	cmd->iov = cmd->lent;
	cmd->iovcnt = 1;
	cmd->data_in_len = cmd->transfer_len;
}

static void execute(struct scsi_cmd *cmd)
{
	/* an address past the end is only used without data */
	uint8_t *at = wire.disk + (cmd->direction == SCSI_NO_DATA ? 0 : cmd->lba * 512);

	scsi_drop(cmd);
	if (cmd->aborted) {
		cmd->ops->done(cmd);
		return;
	}
	if (!cmd->lu)
		scsi_check(cmd, 0x052500);
	else if (cmd->cdb[0] == FAILING_OPCODE)
		scsi_check(cmd, 0x052400);
	else if (cmd->direction == SCSI_DATA_OUT && cmd->data_out_len < cmd->transfer_len)
		scsi_check(cmd, 0x050e03);
	else if (cmd->direction == SCSI_DATA_OUT && cmd->data_out_len)
		memcpy(at, cmd->iov->iov_base, cmd->data_out_len);
	else if (cmd->direction == SCSI_DATA_IN && wire.lend)
		lend(cmd, at);
	else if (cmd->direction == SCSI_DATA_IN && !cmd->ops->data_in(cmd, cmd->transfer_len))
		cmd->status = SCSI_TASK_SET_FULL;
	else if (cmd->direction == SCSI_DATA_IN)
		memcpy(cmd->iov->iov_base, at, cmd->data_in_len = cmd->transfer_len);
	cmd->ops->done(cmd);
}

void scsi_submit(struct scsi_cmd *cmd)
{
	if (!wire.hold) {
		execute(cmd);
		return;
	}
	list_add_tail(&held, &cmd->node);
	wire.held++;
}

void wire_complete(void)
{
	struct list *node;

	while ((node = list_pop(&held))) {
		wire.held--;
		execute(list_entry(node, struct scsi_cmd, node));
	}
}

static struct list waiting = LIST_INIT(waiting); /* The list of struct scsi_tmf. */

/* Answers when the held commands have ended, as the real device server does. */
void scsi_tmf_submit(struct scsi_tmf *tmf)
{
	struct list *node, *tmp;

	wire.resets += tmf->function == SCSI_LU_RESET;
	list_for_each (&held, node, tmp) {
		struct scsi_cmd *cmd = list_entry(node, struct scsi_cmd, node);

		cmd->aborted = cmd->no_response = true;
	}
	if (list_empty(&held)) {
		tmf->done(tmf);
		return;
	}
	list_add_tail(&waiting, &tmf->node);
}

void wire_tmf_done(void)
{
	struct list *node;

	while ((node = list_pop(&waiting))) {
		struct scsi_tmf *tmf = list_entry(node, struct scsi_tmf, node);

		tmf->done(tmf);
	}
}

void scsi_nexus_attach(struct scsi_nexus *nexus, struct scsi_it_nexus *it_nexus, struct scsi_lu *lu,
		       struct loop *loop)
{
	nexus->it_nexus = it_nexus;
	nexus->lu = lu;
	nexus->loop = loop;
	wire.attached++;
}

/* The tests of the device server check what the LUN of a nexus reports. */
void scsi_nexus_luns_changed(struct scsi_nexus *nexus)
{
	(void)nexus;
	wire.luns_changed++;
}

void scsi_nexus_luns_reported(struct scsi_nexus *nexus)
{
	(void)nexus;
	wire.luns_reported++;
}

void scsi_nexus_set_write_protected(struct scsi_nexus *nexus, bool on)
{
	(void)nexus;
	wire.write_protected = on;
}

void scsi_nexus_detach(struct scsi_nexus *nexus)
{
	(void)nexus;
	wire.attached--;
}

/* The model calls this for the attribute emulate_write_cache. */
int scsi_lu_set_write_cache(struct scsi_lu *lu, bool on)
{
	(void)lu, (void)on;
	return 0;
}

bool scsi_lu_has_write_cache(const struct scsi_lu *lu)
{
	(void)lu;
	return false;
}

/* test_live.c tests commands that hang. */
uint64_t scsi_lu_time_limit_ns(const struct scsi_lu *lu)
{
	(void)lu;
	return 0;
}

void scsi_expire(struct scsi_cmd *cmd)
{
	(void)cmd;
}

const char *scsi_lu_name(const struct scsi_lu *lu)
{
	(void)lu;
	return "wire";
}
