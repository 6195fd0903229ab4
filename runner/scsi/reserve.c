/* SPDX-License-Identifier: Apache-2.0 */
#include "scsi/reserve.h"

#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "util/lock.h"

/* PREVENT ALLOW MEDIUM REMOVAL and START STOP UNIT may still undo what a reservation should not keep (SPC-2
 * table 10). */
static bool only_loosens(const struct scsi_cmd *cmd)
{
	const uint8_t *cdb = cmd->cdb;

	if (cdb[0] == 0x1e)
		return (cdb[4] & 0x03) == 0;            /* PREVENT */
	return (cdb[4] & 0xf0) == 0 && (cdb[4] & 0x01); /* POWER CONDITION, START */
}

/* A command that parse refused ends in that error; one that the handler may still take could do anything. */
static uint8_t without_row(const struct scsi_cmd *cmd)
{
	return cmd->gate_seen & SCSI_GATE_HANDLER ? SCSI_ACCESS_CONTROL : SCSI_ACCESS_ANY;
}

bool scsi_reserve_conflicts(const struct scsi_cmd *cmd)
{
	uint8_t access = cmd->op ? cmd->op->access : without_row(cmd);
	uint64_t holder;

	if (!cmd->nexus || access == SCSI_ACCESS_ANY)
		return false;
	lock_take(&cmd->lu->lock);
	holder = cmd->lu->reserved_by;
	lock_drop(&cmd->lu->lock);
	if (holder == 0 || holder == cmd->nexus->id)
		return false;
	return access != SCSI_ACCESS_LOOSEN || !only_loosens(cmd);
}

void scsi_reserve_clear_locked(struct scsi_lu *lu)
{
	lu->reserved_by = 0;
	scsi_lu_gate_change(lu, 0, SCSI_GATE_RESERVED);
}

/* The conflict with a holder that was there before is found at admission; two loops may still race to here.
 */
void spc_reserve(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	bool taken;

	if (!cmd->nexus) { /* behind the kernel's door the kernel keeps reservations */
		scsi_fail(cmd, SENSE_INVALID_OPCODE);
		return;
	}
	lock_take(&lu->lock);
	taken = lu->reserved_by != 0 && lu->reserved_by != cmd->nexus->id;
	if (!taken) {
		lu->reserved_by = cmd->nexus->id;
		scsi_lu_gate_change(lu, SCSI_GATE_RESERVED, 0);
	}
	lock_drop(&lu->lock);
	if (taken)
		cmd->status = SCSI_RESERVATION_CONFLICT;
	scsi_complete(cmd);
}

/* By another nexus than the holder's it does nothing and is GOOD (SPC-2 7.18.1). */
void spc_release(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;

	if (!cmd->nexus) {
		scsi_fail(cmd, SENSE_INVALID_OPCODE);
		return;
	}
	lock_take(&lu->lock);
	if (lu->reserved_by == cmd->nexus->id)
		scsi_reserve_clear_locked(lu);
	lock_drop(&lu->lock);
	scsi_complete(cmd);
}
