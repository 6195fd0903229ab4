/* SPDX-License-Identifier: Apache-2.0 */
/* WRITE (6), (10), (12), (16): SBC-4 5.40 to 5.43; ORWRITE (16): SBC-4 5.11. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"

static void write_blocks(struct scsi_cmd *cmd, enum backstore_op op)
{
	uint32_t nblocks = sbc_io_blocks_arrived(cmd);

	if (nblocks)
		sbc_io_data(cmd, op, cmd->lba, nblocks, sbc_io_fua(cmd), sbc_io_written);
	else
		scsi_complete(cmd);
}

void sbc_write(struct scsi_cmd *cmd)
{
	write_blocks(cmd, BACKSTORE_WRITE);
}

void sbc_orwrite(struct scsi_cmd *cmd)
{
	write_blocks(cmd, BACKSTORE_OR_WRITE);
}
