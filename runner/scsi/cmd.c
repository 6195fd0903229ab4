/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of a command: parse, admission, completion. This file uses the columns of the opcode table
 * (opcodes.c) and has no code for a particular command. The spc_* and sbc_* functions execute the commands.
 */
#include "scsi/cmd.h"

#include "scsi/nexus.h"
#include "scsi/reserve.h"
#include "scsi/tmf.h"
#include "scsi/trace.h"
#include "util/bytes.h"
#include "util/contract.h"
#include "util/iov.h"

/* --- parse ----------------------------------------------------------------------------------- */

/* Returns a big-endian number of 0 to 8 bytes. */
static uint64_t cdb_field(const uint8_t *p, unsigned len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | *p++;
	return value;
}

/*
 * Checks that the bits which the row does not use are zero. SPC-4 4.2.1 allows but does not require this
 * check.
 */
static bool check_usage(struct scsi_cmd *cmd, const struct scsi_op *op)
{
	uint8_t unused = 0;

	for (unsigned i = 1; i < op->cdb_len; i++)
		unused |= (uint8_t)(cmd->cdb[i] & ~op->usage[i]);
	if (!unused)
		return true;
	for (unsigned i = 1; i < op->cdb_len; i++) {
		unsigned bad = cmd->cdb[i] & ~(unsigned)op->usage[i] & 0xff;

		if (bad) {
			scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_CDB, i, 31 - __builtin_clz(bad));
			break;
		}
	}
	return false;
}

/* Sets nblocks and transfer_len from the CDB. */
static bool parse_length(struct scsi_cmd *cmd, const struct scsi_op *op)
{
	uint32_t field = (uint32_t)cdb_field(&cmd->cdb[op->len_at], op->len_len);

	if (op->transfer == SCSI_XFER_BYTES) {
		cmd->transfer_len = field;
		return true;
	}
	cmd->nblocks = field == 0 && op->flags & SCSI_OP_ZERO_256 ? 256 : field;
	if (op->flags & SCSI_OP_MAX_XFER && cmd->nblocks > SCSI_MAX_TRANSFER >> cmd->lu->block_shift) {
		scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_CDB, op->len_at, -1);
		return false;
	}
	if (op->transfer == SCSI_XFER_BY_ROW)
		return op->data_len(cmd, &cmd->transfer_len);
	if (op->transfer == SCSI_XFER_BLOCKS)
		cmd->transfer_len = (uint64_t)cmd->nblocks << cmd->lu->block_shift;
	return true;
}

/* An LBA past the end is an error for zero blocks too (SBC-4 5.2.1). */
static bool parse_lba(struct scsi_cmd *cmd, const struct scsi_op *op)
{
	uint64_t blocks;

	if (!op->lba_len)
		return true;
	cmd->lba = cdb_field(&cmd->cdb[op->lba_at], op->lba_len);
	blocks = scsi_lu_blocks(cmd->lu);
	if (cmd->lba < blocks && cmd->nblocks <= blocks - cmd->lba)
		return true;
	scsi_check_range(cmd, cmd->lba);
	return false;
}

/* Returns the row for the opcode and the service action. The rest of the CDB is not checked. */
static const struct scsi_op *find_row(const struct scsi_cmd *cmd, bool *opcode_known)
{
	*opcode_known = false;
	return cmd->cdb_len >= 6 ? scsi_op_find(cmd->lu, cmd->cdb[0], cmd->cdb[1] & 0x1f, opcode_known)
				 : NULL;
}

/*
 * Returns the row of the command, or NULL with sense set. Without an LU, only a row that needs no LU is
 * returned.
 */
static const struct scsi_op *find_supported_row(struct scsi_cmd *cmd)
{
	bool opcode_known;
	const struct scsi_op *op = find_row(cmd, &opcode_known);

	if (!cmd->lu && !(op && op->flags & SCSI_OP_ALWAYS)) {
		scsi_check(cmd, SENSE_NO_SUCH_LUN);
		return NULL;
	}
	if (op && cmd->cdb_len >= op->cdb_len)
		return op;
	if (opcode_known)
		scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_CDB, 1, 4);
	else
		scsi_check(cmd, SENSE_INVALID_OPCODE);
	return NULL;
}

/* Returns whether the initiator sends all the Data-Out that the CDB demands. */
static bool data_out_announced(const struct scsi_cmd *cmd)
{
	return !cmd->announced ||
	       (cmd->announced_direction == SCSI_DATA_OUT && cmd->announced_len >= cmd->transfer_len);
}

void scsi_parse(struct scsi_cmd *cmd)
{
	const struct scsi_op *op;

	cmd->gate_seen = cmd->lu ? scsi_lu_gate(cmd->lu) : 0;
	op = find_supported_row(cmd);
	if (op && check_usage(cmd, op) && parse_length(cmd, op) && parse_lba(cmd, op)) {
		cmd->op = op;
		cmd->direction = cmd->transfer_len ? (enum scsi_direction)op->direction : SCSI_NO_DATA;
	} else if (cmd->gate_seen & SCSI_GATE_HANDLER) {
		cmd->direction = cmd->announced_direction;
		cmd->transfer_len = cmd->announced_len;
	} else {
		cmd->transfer_len = 0;
	}
	if (cmd->direction == SCSI_DATA_OUT && data_out_announced(cmd))
		cmd->gather_len = cmd->transfer_len;
	if (cmd->nexus) {
		cmd->unsubmitted = true;
		cmd->nexus->unsubmitted++;
	}
}

/* --- admission ------------------------------------------------------------------------------- */

uint32_t scsi_cmd_condition(const struct scsi_cmd *cmd)
{
	if (cmd->gate_seen & SCSI_GATE_BECOMING)
		return SENSE_BECOMING_READY;
	if (cmd->gate_seen & SCSI_GATE_ABSENT)
		return SENSE_NOT_REPORTABLE;
	if (cmd->gate_seen & SCSI_GATE_BLOCKED)
		return SENSE_INTERVENTION_REQUIRED;
	if (cmd->gate_seen & SCSI_GATE_FORMATTING)
		return SENSE_FORMAT_IN_PROGRESS;
	return cmd->gate_seen & SCSI_GATE_CORRUPTED ? SENSE_FORMAT_CORRUPTED : SENSE_NONE;
}

/* Returns whether the command can use the medium that it needs. If not, sense is set. */
static bool check_ready(struct scsi_cmd *cmd)
{
	uint32_t sense = cmd->op->flags & SCSI_OP_MEDIUM ? scsi_cmd_condition(cmd) : SENSE_NONE;

	if (sense == SENSE_NONE ||
	    (sense == SENSE_FORMAT_CORRUPTED && cmd->op->flags & SCSI_OP_CURES_CORRUPTED))
		return true;
	if (sense == SENSE_FORMAT_IN_PROGRESS)
		scsi_check_progress(cmd, sense, scsi_lu_format_progress(cmd->lu));
	else
		scsi_check(cmd, sense);
	return false;
}

/*
 * Checks the data transfer that the initiator has announced. A command that lacks Data-Out must not change or
 * compare anything. If the initiator has announced Data-In for such a command, the CDB is reported as wrong.
 * If there is too little Data-Out, the parameter list length or the command information unit is reported as
 * wrong. A row with SCSI_OP_EXACT also refuses too much Data-Out, and always reports its length field as
 * wrong. A READ for which the initiator has announced Data-Out or nothing does no harm: it transfers nothing,
 * and the residual shows this.
 */
static bool check_transfer(struct scsi_cmd *cmd)
{
	const struct scsi_op *op = cmd->op;

	bool too_little = cmd->direction == SCSI_DATA_OUT && cmd->data_out_len < cmd->transfer_len;
	bool too_much = op->flags & SCSI_OP_EXACT && cmd->announced_len > cmd->transfer_len;

	if (!too_little && !too_much)
		return true;
	if (cmd->announced_direction == SCSI_DATA_IN) {
		scsi_check(cmd, SENSE_INVALID_FIELD_IN_CDB);
	} else if (op->flags & SCSI_OP_EXACT) {
		scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_CDB, op->len_at, -1);
	} else {
		scsi_check(cmd, op->transfer == SCSI_XFER_BYTES ? SENSE_LIST_LENGTH_ERROR
								: SENSE_INVALID_FIELD_IN_IU);
	}
	return false;
}

/* Makes the checks that follow those of reservations and unit attentions, and executes the command. */
static void execute(struct scsi_cmd *cmd)
{
	const struct scsi_op *op = cmd->op;

	/* The sense is set already; if there is no row, scsi_parse() has set it. */
	if (!op || !check_ready(cmd))
		scsi_complete(cmd);
	else if (cmd->gate_seen & SCSI_GATE_READ_ONLY && op->flags & SCSI_OP_WRITES)
		scsi_fail(cmd, SENSE_WRITE_PROTECTED);
	else if (!check_transfer(cmd))
		scsi_complete(cmd);
	else
		op->exec(cmd);
}

static void handler_done(struct backstore_scsi *bss, uint8_t status)
{
	struct scsi_cmd *cmd = container_of(bss, struct scsi_cmd, bss);

	if (status == BACKSTORE_SCSI_DECLINED && !cmd->aborted) {
		execute(cmd);
		return;
	}
	cmd->sense_len = 0;
	if (status == BACKSTORE_SCSI_DECLINED || status == BACKSTORE_SCSI_NOT_BEGUN) {
		cmd->status = SCSI_BUSY;
	} else if (status == SCSI_CHECK_CONDITION) {
		cmd->status = status;
		cmd->sense_len = (uint8_t)MIN(bss->cmd.sense_len, SCSI_SENSE_MAX);
		memcpy(cmd->sense, bss->cmd.sense, cmd->sense_len);
	} else {
		cmd->status = status;
		cmd->data_in_len = MIN(bss->cmd.data_in_len, bss->cmd.data_in_max);
	}
	scsi_complete(cmd);
}

/*
 * Offers the command to the handler's scsi(). Returns true if the handler has taken the command, or if the
 * command was completed here.
 */
static bool offer_to_handler(struct scsi_cmd *cmd)
{
	uint64_t room = cmd->direction == SCSI_DATA_IN ? MIN(cmd->transfer_len, SCSI_MAX_TRANSFER) : 0;

	if (room && !scsi_data_in_room(cmd, room))
		return true;
	cmd->bss = (struct backstore_scsi){
	    .cmd = {.cdb = cmd->cdb,
		    .cdb_len = cmd->cdb_len,
		    .iov = cmd->iov,
		    .iovcnt = cmd->iovcnt,
		    .data_out_len = cmd->data_out_len,
		    .data_in_max = room},
	    .bs = cmd->lu->bs,
	    .loop = cmd->loop,
	    .deadline_ns = cmd->deadline_ns,
	    .done = handler_done,
	};
	cmd->stage = SCSI_AT_HANDLER;
	return backstore_scsi(&cmd->bss);
}

/*
 * Returns whether the command reports a unit attention. Some commands neither report nor clear one (SAM-5
 * 5.14).
 */
static bool reports_ua(const struct scsi_cmd *cmd)
{
	bool known;
	const struct scsi_op *op = find_row(cmd, &known);

	return !op || !(op->flags & SCSI_OP_ALWAYS);
}

/*
 * Returns whether the command may be offered to the handler's scsi(). If the nexus is write-protected, a
 * command that may write must not be offered, and it is unknown what a command without a row does.
 */
static bool may_offer(const struct scsi_cmd *cmd, uint32_t nexus_state)
{
	bool reads = cmd->op && !(cmd->op->flags & SCSI_OP_WRITES);

	return cmd->gate_seen & SCSI_GATE_HANDLER && (reads || !(nexus_state & SCSI_NEXUS_WRITE_PROTECTED));
}

/*
 * Handles a command for which a gate bit is set, a unit attention is pending, or scsi_parse() has found an
 * error, or whose nexus is restricted.
 */
static void submit_slow(struct scsi_cmd *cmd, uint32_t nexus_state)
{
	uint32_t ua = nexus_state & SCSI_NEXUS_UA && reports_ua(cmd) ? scsi_ua_pop(cmd->nexus) : SENSE_NONE;

	if (nexus_state & SCSI_NEXUS_WRITE_PROTECTED)
		cmd->gate_seen |= SCSI_GATE_READ_ONLY;
	if (ua != SENSE_NONE) {
		scsi_fail(cmd, ua);
	} else if (cmd->gate_seen & SCSI_GATE_RESERVED && scsi_reserve_conflicts(cmd)) {
		cmd->status = SCSI_RESERVATION_CONFLICT;
		cmd->sense_len = 0;
		scsi_complete(cmd);
	} else if (!may_offer(cmd, nexus_state) || !offer_to_handler(cmd)) {
		execute(cmd);
	}
}

void scsi_submit(struct scsi_cmd *cmd)
{
	uint32_t gate, nexus_state;

	scsi_drop(cmd);
	if (!cmd->lu) {
		list_init(&cmd->node);
		execute(cmd);
		return;
	}
	list_add_tail(&cmd->lu->loops[loop_index(cmd->loop)].inflight, &cmd->node);
	gate = scsi_lu_gate(cmd->lu);
	/* There was a reset between scsi_parse() and scsi_submit(). */
	if ((gate ^ cmd->gate_seen) & SCSI_GATE_EPOCH) {
		scsi_tmf_abort_stale(cmd);
		scsi_complete(cmd);
		return;
	}
	cmd->gate_seen = gate;
	nexus_state = cmd->nexus ? atomic_load_explicit(&cmd->nexus->state, memory_order_relaxed) : 0;
	if (gate & SCSI_GATE_SLOW || !cmd->op || nexus_state)
		submit_slow(cmd, nexus_state);
	else
		execute(cmd);
}

void scsi_cancel(struct scsi_cmd *cmd)
{
	/* This deadline also applies to I/O that the command starts later. */
	cmd->deadline_ns = BACKSTORE_CANCELLED;
	if (cmd->stage == SCSI_AT_BACKSTORE)
		backstore_cancel(&cmd->bio);
	else if (cmd->stage == SCSI_AT_HANDLER)
		backstore_scsi_cancel(&cmd->bss);
}

void scsi_expire(struct scsi_cmd *cmd)
{
	cmd->expired = true;
	scsi_cancel(cmd);
	if (cmd->stage == SCSI_AT_BACKSTORE)
		backstore_hold(&cmd->bio);
	if (cmd->aborted && cmd->lu)
		scsi_tmf_command_over(&cmd->lu->loops[loop_index(cmd->loop)]);
}

/* --- completion ------------------------------------------------------------------------------ */

/* Sets the status of an aborted command, if it gets a response at all (SAM-5 5.3.1). */
static void set_aborted_status(struct scsi_cmd *cmd)
{
	cmd->status = SCSI_TASK_ABORTED;
	cmd->sense_len = 0;
	cmd->data_in_len = 0;
}

void scsi_complete(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	struct loop *loop = cmd->loop;
	bool aborted = cmd->aborted;

	contract(cmd->node.next && "a command completes once");
	if (aborted)
		set_aborted_status(cmd);
	else if (__builtin_expect(cmd->status == SCSI_CHECK_CONDITION, false))
		scsi_lu_count_sense(cmd);
	scsi_trace(cmd);
	list_del(&cmd->node);
	cmd->node.next = NULL;
	cmd->ops->done(cmd); /* The front end has freed cmd. */
	if (aborted && lu)
		scsi_tmf_command_over(&lu->loops[loop_index(loop)]);
}

void scsi_fail(struct scsi_cmd *cmd, uint32_t sense)
{
	scsi_check(cmd, sense);
	scsi_complete(cmd);
}

void scsi_fail_cdb(struct scsi_cmd *cmd, unsigned byte, int bit)
{
	scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_CDB, byte, bit);
	scsi_complete(cmd);
}

void scsi_fail_list(struct scsi_cmd *cmd, unsigned byte, int bit)
{
	scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_LIST, byte, bit);
	scsi_complete(cmd);
}

void scsi_fail_memory(struct scsi_cmd *cmd)
{
	cmd->status = SCSI_TASK_SET_FULL;
	scsi_complete(cmd);
}

bool scsi_data_in_room(struct scsi_cmd *cmd, uint64_t len)
{
	/* The buffer of a command that was offered to the handler's scsi() exists already. */
	if (cmd->gate_seen & SCSI_GATE_HANDLER && cmd->iov)
		return true;
	if (cmd->ops->data_in(cmd, len))
		return true;
	scsi_fail_memory(cmd);
	return false;
}

void scsi_data_in_bytes(struct scsi_cmd *cmd, const void *bytes, size_t len)
{
	len = (size_t)MIN(len, cmd->transfer_len);
	if (len && !scsi_data_in_room(cmd, len))
		return;
	cmd->data_in_len = iov_copy_to(cmd->iov, cmd->iovcnt, 0, bytes, len);
	scsi_complete(cmd);
}

size_t scsi_data_out_bytes(const struct scsi_cmd *cmd, void *buf, size_t max)
{
	return iov_copy_from(cmd->iov, cmd->iovcnt, 0, buf, (size_t)MIN(max, cmd->data_out_len));
}
