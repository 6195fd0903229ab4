/* SPDX-License-Identifier: Apache-2.0 */
/* SYNCHRONIZE CACHE (10), (16): SBC-4 5.32, 5.33; PRE-FETCH (10), (16): SBC-4 5.13, 5.14. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "util/bytes.h"

/*
 * IMMED = 1 allows an early GOOD, and does not ask for one: status comes when the data is on stable storage,
 * so that an error is the error of this command and not a deferred one of some other.
 */
void sbc_synchronize_cache(struct scsi_cmd *cmd)
{
	if (cmd->nblocks == 0) /* from the LBA on */
		sbc_io(cmd, BACKSTORE_FLUSH, 0, 0, 0, sbc_io_complete);
	else
		sbc_io(cmd, BACKSTORE_FLUSH, cmd->lba, cmd->nblocks, 0, sbc_io_complete);
}

/*
 * The cache is the host's, and whether it keeps what it is hinted is not known here: GOOD says "perhaps not
 * all", where CONDITION MET would promise. A hint of more than a command could read is cut.
 */
void sbc_prefetch(struct scsi_cmd *cmd)
{
	uint64_t nblocks = cmd->nblocks ? cmd->nblocks : scsi_lu_blocks(cmd->lu) - cmd->lba;

	nblocks = MIN(nblocks, SCSI_MAX_TRANSFER >> cmd->lu->block_shift);

	sbc_io(cmd, BACKSTORE_PREFETCH, cmd->lba, nblocks, 0, sbc_io_complete);
}
