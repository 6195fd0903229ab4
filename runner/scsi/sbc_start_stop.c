/* SPDX-License-Identifier: Apache-2.0 */
/* START STOP UNIT: SBC-4 5.31. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"

/* Byte 4 */
#define START_STOP_NO_FLUSH 0x04
#define START_STOP_LOEJ     0x02
#define START_STOP_START    0x01

static void stop_flushed(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	/* What could not be saved should stay reachable. */
	if (status != TCMUR_OK)
		scsi_lu_gate_change(cmd->lu, 0, SCSI_GATE_STOPPED);
	sbc_io_complete(bio, status);
}

/* IMMED = 1 is answered when the work is done, as in sbc_synchronize_cache(). */
void sbc_start_stop_unit(struct scsi_cmd *cmd)
{
	uint8_t flags = cmd->cdb[4];

	if (flags >> 4) {
		scsi_fail_cdb(cmd, 4, 7); /* POWER CONDITION: there are none */
	} else if (flags & START_STOP_LOEJ) {
		scsi_fail_cdb(cmd, 4, 1); /* the medium is not removable */
	} else if (flags & START_STOP_START) {
		scsi_lu_gate_change(cmd->lu, 0, SCSI_GATE_STOPPED);
		scsi_complete(cmd);
	} else {
		/* First the gate, so that nothing is written after the flush. */
		scsi_lu_gate_change(cmd->lu, SCSI_GATE_STOPPED, 0);
		if (flags & START_STOP_NO_FLUSH)
			scsi_complete(cmd);
		else
			sbc_io(cmd, BACKSTORE_FLUSH, 0, 0, 0, stop_flushed);
	}
}
