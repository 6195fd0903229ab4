/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY (10), (12), (16): SBC-4 5.34 to 5.36; WRITE AND VERIFY (10), (12), (16): SBC-4 5.44 to 5.46. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"

/* BYTCHK, bits 2-1 of byte 1. 2 is reserved, and 3 too for WRITE AND VERIFY. */
enum verify_bytchk {
	VERIFY_MEDIUM = 0, /* readable is enough */
	VERIFY_COMPARE = 1,
	VERIFY_SAME = 3, /* compare each block with the only one of the Data-Out */
};

static enum verify_bytchk verify_bytchk(const struct scsi_cmd *cmd)
{
	return cmd->cdb[1] >> 1 & 3;
}

static void verify_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	if (status != TCMUR_MISCOMPARE) {
		sbc_io_complete(bio, status);
		return;
	}
	/* As for a block that cannot be read, INFORMATION names the LBA (SBC-4 4.18.1). */
	scsi_check_info(cmd, SENSE_MISCOMPARE_VERIFY,
			cmd->lba + (bio->io.miscompare_offset >> cmd->lu->block_shift));
	scsi_complete(cmd);
}

static void verify(struct scsi_cmd *cmd, uint64_t nblocks)
{
	if (nblocks == 0)
		scsi_complete(cmd);
	else if (verify_bytchk(cmd) == VERIFY_MEDIUM)
		sbc_io(cmd, BACKSTORE_VERIFY, cmd->lba, nblocks, 0, verify_done);
	else
		sbc_io_data(cmd, BACKSTORE_VERIFY, cmd->lba, nblocks, 0, verify_done);
}

void sbc_verify(struct scsi_cmd *cmd)
{
	switch (verify_bytchk(cmd)) {
	case VERIFY_MEDIUM:
		verify(cmd, cmd->nblocks);
		break;
	case VERIFY_COMPARE:
		verify(cmd, sbc_io_blocks_arrived(cmd));
		break;
	case VERIFY_SAME:
		if (sbc_io_exact(cmd, cmd->op->len_at))
			verify(cmd, cmd->nblocks);
		break;
	}
}

static void written(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	if (status == TCMUR_OK && !cmd->aborted)
		verify(cmd, bio->io.len >> cmd->lu->block_shift);
	else
		sbc_io_complete(bio, status);
}

void sbc_write_and_verify(struct scsi_cmd *cmd)
{
	uint32_t nblocks;

	if (verify_bytchk(cmd) != VERIFY_MEDIUM && verify_bytchk(cmd) != VERIFY_COMPARE) {
		scsi_fail_cdb(cmd, 1, 2);
		return;
	}
	nblocks = sbc_io_blocks_arrived(cmd);
	/* The medium is what is to be verified, so the write goes through to it. */
	if (nblocks)
		sbc_io_data(cmd, BACKSTORE_WRITE, cmd->lba, nblocks, TCMUR_IO_FUA, written);
	else
		scsi_complete(cmd);
}
