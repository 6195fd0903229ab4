/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands about the state of the unit: TEST UNIT READY, REQUEST SENSE, SEND DIAGNOSTIC and PREVENT ALLOW
 * MEDIUM REMOVAL. Admission (cmd.c) has checked the state before these commands are executed.
 */
#include "scsi/spc.h"
#include "scsi/nexus.h"
#include "scsi/scsi_io.h"
#include "util/bytes.h"

/* If the LU is not ready, admission has refused the command (SCSI_OP_MEDIUM). */
void spc_test_unit_ready(struct scsi_cmd *cmd)
{
	scsi_complete(cmd);
}

/*
 * SPC-4 6.39: returns the sense data that a command would get now, and clears a unit attention that
 * it returns.
 */
void spc_request_sense(struct scsi_cmd *cmd)
{
	uint8_t data[SCSI_SENSE_MAX];
	bool descriptor = cmd->cdb[1] & 0x01;
	uint32_t sense = SENSE_NONE;
	unsigned len;

	if (!cmd->lu)
		sense = SENSE_NO_SUCH_LUN;
	else if (cmd->nexus)
		sense = scsi_ua_pop(cmd->nexus);
	if (sense == SENSE_NONE)
		sense = scsi_cmd_condition(cmd);
	if (sense == SENSE_FORMAT_IN_PROGRESS)
		len = scsi_sense_build_progress(data, sense, scsi_lu_format_progress(cmd->lu), descriptor);
	else
		len = scsi_sense_build(data, sense, descriptor);
	scsi_data_in_bytes(cmd, data, len);
}

/* --- SEND DIAGNOSTIC (SPC-4 6.42) ------------------------------------------------------------ */

static void self_tested(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	loop_buffer_put(cmd->loop, cmd->lent[0].iov_base, cmd->lent[0].iov_len);
	if (status == TCMUR_OK)
		scsi_complete(cmd);
	else
		scsi_fail(cmd, SENSE_SELF_TEST_FAILED);
}

/* Reads the first block, which shows that the path to the medium works. */
static void self_test(struct scsi_cmd *cmd)
{
	struct scsi_lu *lu = cmd->lu;

	cmd->lent[0].iov_len = lu->block_size;
	cmd->lent[0].iov_base = loop_buffer_get(cmd->loop, lu->block_size);
	if (!cmd->lent[0].iov_base) {
		scsi_fail_memory(cmd);
		return;
	}
	scsi_io_prepare(cmd, BACKSTORE_READ, 0, 1, 0, self_tested);
	cmd->bio.io.iov = cmd->lent;
	cmd->bio.io.iovcnt = 1;
	backstore_submit(&cmd->bio);
}

void spc_send_diagnostic(struct scsi_cmd *cmd)
{
	enum { NONE = 0, FOREGROUND_SHORT = 5, FOREGROUND_EXTENDED = 6 };
	unsigned code = cmd->cdb[1] >> 5;
	bool selftest = cmd->cdb[1] & 0x04;

	/* There is no background self-test, because its result would need a log page. */
	if (selftest ? code != NONE : code != NONE && code != FOREGROUND_SHORT && code != FOREGROUND_EXTENDED)
		scsi_fail_cdb(cmd, 1, 7);
	else if ((selftest || code != NONE) && scsi_lu_blocks(cmd->lu) > 0)
		self_test(cmd);
	else
		scsi_complete(cmd);
}

/* --- PREVENT ALLOW MEDIUM REMOVAL (SPC-4 6.14) ----------------------------------------------- */

bool spc_allows_removal(const struct scsi_cmd *cmd)
{
	return (cmd->cdb[4] & 0x03) == 0; /* PREVENT */
}

void spc_prevent_allow(struct scsi_cmd *cmd)
{
	if (cmd->cdb[4] & 0x02) { /* obsolete values of PREVENT */
		scsi_fail_cdb(cmd, 4, 1);
		return;
	}
	scsi_complete(cmd);
}
