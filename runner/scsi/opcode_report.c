/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.34, 6.35). Both
 * only report the contents of tables; opcodes.c defines the opcode table.
 */
#include <stdlib.h>

#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "util/bytes.h"

/* The length of the command timeouts descriptor. Its zeros mean that no times are indicated. */
#define TIMEOUTS_LEN 12
#define CTDP_ALL     0x02
#define CTDP_ONE     0x80

static unsigned add_timeouts(uint8_t *out)
{
	put_be16(out, TIMEOUTS_LEN - 2);
	return TIMEOUTS_LEN;
}

static void report_all(struct scsi_cmd *cmd, bool timeouts)
{
	uint8_t *list = calloc(1, 4 + scsi_nops * (8u + TIMEOUTS_LEN));
	unsigned len = 4;

	if (!list) {
		scsi_fail_memory(cmd);
		return;
	}
	for (const struct scsi_op *op = scsi_ops; op < scsi_ops + scsi_nops; op++) {
		uint8_t *desc = &list[len];

		if (!scsi_op_available(op, cmd->lu))
			continue;
		desc[0] = op->opcode;
		put_be16(&desc[2], op->service_action);
		desc[5] = (op->flags & SCSI_OP_SA ? 1 : 0) | (timeouts ? CTDP_ALL : 0);
		put_be16(&desc[6], op->cdb_len);
		len += 8;
		if (timeouts)
			len += add_timeouts(&list[len]);
	}
	put_be32(list, len - 4);
	scsi_data_in_bytes(cmd, list, len);
	free(list);
}

/* Reports one command. op is NULL if the command is not supported. */
static void report_one(struct scsi_cmd *cmd, const struct scsi_op *op, bool timeouts)
{
	enum { NOT_SUPPORTED = 1, AS_THE_STANDARD_SAYS = 3 };
	uint8_t data[4 + SCSI_CDB_FIXED_MAX + TIMEOUTS_LEN] = {0};
	unsigned len = 4;

	data[1] = op ? AS_THE_STANDARD_SAYS : NOT_SUPPORTED;
	if (op) {
		put_be16(&data[2], op->cdb_len);
		memcpy(&data[4], op->usage, op->cdb_len);
		if (op->flags & SCSI_OP_SA)
			data[5] = (uint8_t)((data[5] & ~0x1f) | op->service_action);
		len += op->cdb_len;
		if (timeouts) {
			data[1] |= CTDP_ONE;
			len += add_timeouts(&data[len]);
		}
	}
	scsi_data_in_bytes(cmd, data, len);
}

void spc_report_opcodes(struct scsi_cmd *cmd)
{
	enum { ALL = 0, ONE_OPCODE = 1, ONE_SERVICE_ACTION = 2, ONE_EITHER = 3 };
	bool timeouts = cmd->cdb[2] & 0x80, known = false, has_sa;
	unsigned option = cmd->cdb[2] & 0x07, sa = get_be16(&cmd->cdb[4]);
	const struct scsi_op *op = NULL;

	if (option == ALL) {
		report_all(cmd, timeouts);
		return;
	}
	op = sa <= UINT8_MAX ? scsi_op_find(cmd->lu, cmd->cdb[3], (uint8_t)sa, &known) : NULL;
	if (!op)
		scsi_op_find(cmd->lu, cmd->cdb[3], 0, &known);
	has_sa = op ? op->flags & SCSI_OP_SA : known;
	if (option > ONE_EITHER || (option == ONE_OPCODE && has_sa)) {
		scsi_fail_cdb(cmd, 2, 2);
		return;
	}
	if (option == ONE_SERVICE_ACTION && known && !has_sa) {
		scsi_fail_cdb(cmd, 2, 2);
		return;
	}
	if (op && option == ONE_EITHER && !has_sa && sa != 0)
		op = NULL;
	report_one(cmd, op, timeouts);
}

void spc_report_tmfs(struct scsi_cmd *cmd)
{
	enum { ATS = 0x80, ATSS = 0x40, CTSS = 0x10, LURS = 0x08 };
	uint8_t data[16] = {ATS | ATSS | CTSS | LURS};
	bool repd = cmd->cdb[2] & 0x80;

	if (cmd->transfer_len < 4) {
		scsi_fail_cdb(cmd, 6, -1);
		return;
	}
	if (repd)
		data[3] = sizeof(data) - 4;
	scsi_data_in_bytes(cmd, data, repd ? sizeof(data) : 4);
}
