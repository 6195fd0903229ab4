/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The I/O of a command: fills its backstore_io, and ends the command when the I/O has ended. The file of each
 * command decides which I/O it needs.
 */
#include "scsi/scsi_io.h"

#include "util/bytes.h"

void scsi_io_prepare(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks,
		     uint32_t flags, scsi_io_done *done)
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
	bio->account = cmd->account;
	bio->lend = NULL;
	bio->max_lend = 0;
	bio->nlent = 0;
	cmd->stage = SCSI_AT_BACKSTORE;
}

void scsi_io(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
	     scsi_io_done *done)
{
	scsi_io_prepare(cmd, op, lba, nblocks, flags, done);
	backstore_submit(&cmd->bio);
}

void scsi_io_data(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
		  scsi_io_done *done)
{
	scsi_io_prepare(cmd, op, lba, nblocks, flags, done);
	cmd->bio.io.iov = cmd->iov;
	cmd->bio.io.iovcnt = cmd->iovcnt;
	backstore_submit(&cmd->bio);
}

void scsi_io_flush(struct scsi_cmd *cmd, scsi_io_done *done)
{
	scsi_io(cmd, BACKSTORE_FLUSH, 0, 0, 0, done);
}

void scsi_io_complete(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	scsi_set_status(cmd, status);
	scsi_complete(cmd);
}

/*
 * Returns whether the write must be flushed although the cache is off. The MODE SELECT that switched the
 * write cache off, or write protection on, flushed only what had been written before. A write that was in
 * flight at that time must be flushed by its own command.
 */
static bool missed_flush(const struct backstore_io *bio)
{
	const struct scsi_cmd *cmd = bio->owner;
	uint32_t since = scsi_lu_gate(cmd->lu) & ~cmd->gate_seen;

	return since & (SCSI_GATE_WRITE_THROUGH | SCSI_GATE_READ_ONLY) && !(bio->io.flags & TCMUR_IO_FUA);
}

void scsi_io_written(struct backstore_io *bio, enum tcmur_status status)
{
	if (status == TCMUR_OK && missed_flush(bio))
		scsi_io_flush(scsi_io_cmd(bio), scsi_io_complete);
	else
		scsi_io_complete(bio, status);
}

bool scsi_io_asks_fua(const struct scsi_cmd *cmd)
{
	return cmd->op->cdb_len > 6 && cmd->cdb[1] & 0x08;
}

uint32_t scsi_io_write_through(const struct scsi_cmd *cmd)
{
	return scsi_cmd_write_through(cmd) ? TCMUR_IO_FUA : 0;
}

uint32_t scsi_io_fua(const struct scsi_cmd *cmd)
{
	return scsi_io_asks_fua(cmd) ? TCMUR_IO_FUA : scsi_io_write_through(cmd);
}
