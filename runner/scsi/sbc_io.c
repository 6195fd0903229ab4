/* SPDX-License-Identifier: Apache-2.0 */
#include "scsi/sbc_io.h"

#include "util/bytes.h"

void sbc_io_prepare(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks,
		    uint32_t flags, sbc_io_done *done)
{
	struct backstore_io *bio = &cmd->bio;

	bio->io = (struct tcmur_io){
	    .offset = lba << cmd->lu->block_shift,
	    .len = nblocks << cmd->lu->block_shift,
	    .flags = flags,
	};
	bio->bs = cmd->lu->bs;
	bio->loop = cmd->loop;
	bio->op = op;
	bio->done = done;
	bio->owner = cmd;
	bio->deadline_ns = cmd->deadline_ns;
	bio->lend = NULL;
	bio->max_lend = 0;
	bio->nlent = 0;
	cmd->stage = SCSI_AT_BACKSTORE;
}

void sbc_io(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
	    sbc_io_done *done)
{
	sbc_io_prepare(cmd, op, lba, nblocks, flags, done);
	backstore_submit(&cmd->bio);
}

void sbc_io_data(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
		 sbc_io_done *done)
{
	sbc_io_prepare(cmd, op, lba, nblocks, flags, done);
	cmd->bio.io.iov = cmd->iov;
	cmd->bio.io.iovcnt = cmd->iovcnt;
	backstore_submit(&cmd->bio);
}

void sbc_io_complete(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	scsi_set_status(cmd, status);
	scsi_complete(cmd);
}

/*
 * The command that switched the write cache off, or stopped the unit, flushed what had been written by then.
 * What was in flight has to make itself stable.
 */
static bool missed_flush(const struct backstore_io *bio)
{
	const struct scsi_cmd *cmd = bio->owner;
	uint32_t since = scsi_lu_gate(cmd->lu) & ~cmd->gate_seen;

	return since & (SCSI_GATE_WRITE_THROUGH | SCSI_GATE_STOPPED) && !(bio->io.flags & TCMUR_IO_FUA);
}

void sbc_io_written(struct backstore_io *bio, enum tcmur_status status)
{
	if (status == TCMUR_OK && missed_flush(bio))
		sbc_io(sbc_io_cmd(bio), BACKSTORE_FLUSH, 0, 0, 0, sbc_io_complete);
	else
		sbc_io_complete(bio, status);
}

bool sbc_io_asks_fua(const struct scsi_cmd *cmd)
{
	return cmd->op->cdb_len > 6 && cmd->cdb[1] & 0x08;
}

uint32_t sbc_io_write_through(const struct scsi_cmd *cmd)
{
	return scsi_cmd_write_through(cmd) ? TCMUR_IO_FUA : 0;
}

uint32_t sbc_io_fua(const struct scsi_cmd *cmd)
{
	return sbc_io_asks_fua(cmd) ? TCMUR_IO_FUA : sbc_io_write_through(cmd);
}

uint32_t sbc_io_blocks_arrived(struct scsi_cmd *cmd)
{
	uint32_t nblocks, i;
	uint64_t left;

	if (cmd->data_out_len >= cmd->transfer_len)
		return cmd->nblocks;
	nblocks = (uint32_t)(cmd->data_out_len >> cmd->lu->block_shift);
	left = (uint64_t)nblocks << cmd->lu->block_shift;
	for (i = 0; left; i++) {
		cmd->iov[i].iov_len = MIN(cmd->iov[i].iov_len, left);
		left -= cmd->iov[i].iov_len;
	}
	cmd->iovcnt = i;
	return nblocks;
}

bool sbc_io_exact(struct scsi_cmd *cmd, unsigned len_at)
{
	if (cmd->data_out_len == cmd->transfer_len && cmd->expected_out_len <= cmd->transfer_len)
		return true;
	scsi_fail_cdb(cmd, len_at, -1);
	return false;
}
