/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RESERVE and RELEASE, 6 and 10 (SPC-2 7.17 to 7.21), and the conflicts of a reservation. The opcode table
 * says which commands conflict. With the kernel front end, both commands are refused: the kernel keeps the
 * reservations, because only the kernel knows the initiators.
 */
#include "scsi/reserve.h"

#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "util/lock.h"

/*
 * Returns whether the command conflicts with a reservation. A command that scsi_parse() has refused ends with
 * its own error. But if the handler's scsi() may still execute such a command, it counts as a conflict,
 * because it is unknown what the command does.
 */
static bool access_conflicts(const struct scsi_cmd *cmd)
{
	if (!cmd->op)
		return cmd->gate_seen & SCSI_GATE_HANDLER;
	return cmd->op->access != SCSI_ACCESS_ANY &&
	       !(cmd->op->allowed_by_reservation && cmd->op->allowed_by_reservation(cmd));
}

bool scsi_reserve_conflicts(const struct scsi_cmd *cmd)
{
	uint64_t holder;

	if (!access_conflicts(cmd))
		return false;
	lock_take(&cmd->lu->lock);
	holder = cmd->lu->reserved_by;
	lock_drop(&cmd->lu->lock);
	return holder != 0 && holder != cmd->nexus->id;
}

void scsi_reserve_clear_locked(struct scsi_lu *lu)
{
	lu->reserved_by = 0;
	scsi_lu_gate_change(lu, 0, SCSI_GATE_RESERVED);
}

/*
 * Admission has checked for an older reservation. But commands on two loops may reach this function at the
 * same time, so it checks again.
 */
void spc_reserve(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;
	bool conflict;

	if (!cmd->it_nexus) {
		scsi_fail(cmd, SENSE_INVALID_OPCODE);
		return;
	}
	lock_take(&lu->lock);
	conflict = lu->reserved_by != 0 && lu->reserved_by != cmd->nexus->id;
	if (!conflict) {
		lu->reserved_by = cmd->nexus->id;
		scsi_lu_gate_change(lu, SCSI_GATE_RESERVED, 0);
	}
	lock_drop(&lu->lock);
	if (conflict)
		cmd->status = SCSI_RESERVATION_CONFLICT;
	scsi_complete(cmd);
}

/* If the nexus does not hold the reservation, RELEASE changes nothing and ends with GOOD (SPC-2 7.18.1). */
void spc_release(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;

	if (!cmd->it_nexus) {
		scsi_fail(cmd, SENSE_INVALID_OPCODE);
		return;
	}
	lock_take(&lu->lock);
	if (lu->reserved_by == cmd->nexus->id)
		scsi_reserve_clear_locked(lu);
	lock_drop(&lu->lock);
	scsi_complete(cmd);
}
