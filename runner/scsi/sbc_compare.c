/* SPDX-License-Identifier: Apache-2.0 */
/* COMPARE AND WRITE: SBC-4 5.2. The Data-Out is the verify instance, then the write instance. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "scsi/sbc_limits.h"

_Static_assert(SBC_MAX_COMPARE_BLOCKS == UINT8_MAX, "the length is one byte, so no other check is needed");

/* A miscompare reports the offset of the first byte that differs, see scsi_set_status(). */
void sbc_compare_and_write(struct scsi_cmd *cmd)
{
	if (!sbc_io_exact(cmd, cmd->op->len_at))
		return;
	if (cmd->nblocks)
		sbc_io_data(cmd, BACKSTORE_COMPARE_AND_WRITE, cmd->lba, cmd->nblocks, sbc_io_fua(cmd),
			    sbc_io_written);
	else
		scsi_complete(cmd);
}
