/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How commands use the one struct backstore_io that each of them embeds. All functions run on the command's
 * loop.
 */
#ifndef SCSI_SCSI_IO_H
#define SCSI_SCSI_IO_H

#include "scsi/cmd.h"

typedef void scsi_io_done(struct backstore_io *bio, enum tcmur_status status);

/*
 * Fills cmd->bio with op on nblocks from lba, without memory; flags are TCMUR_IO_*. The caller then
 * calls backstore_submit().
 */
void scsi_io_prepare(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks,
		     uint32_t flags, scsi_io_done *done);
/* Prepares and submits the I/O. done may run inside the call; the backstore limits the nesting. */
void scsi_io(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
	     scsi_io_done *done);
/* The same with the memory of cmd->iov. */
void scsi_io_data(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
		  scsi_io_done *done);
/* Flushes everything that is written so far, if the storage has a volatile cache. */
void scsi_io_flush(struct scsi_cmd *cmd, scsi_io_done *done);

static inline struct scsi_cmd *scsi_io_cmd(struct backstore_io *bio)
{
	return bio->owner;
}

/*
 * The done function for the last I/O of a command: the status of the I/O becomes the status of the command.
 */
void scsi_io_complete(struct backstore_io *bio, enum tcmur_status status);
/* The same for I/O that writes. */
void scsi_io_written(struct backstore_io *bio, enum tcmur_status status);
/*
 * The same for I/O that reads the blocks of the command: after a medium error it finds the first
 * bad block, and a READ keeps the blocks before it (read_error.c).
 */
void scsi_io_read(struct backstore_io *bio, enum tcmur_status status);

/* Returns the FUA bit of the CDB; CDBs of 6 bytes have none. */
bool scsi_io_asks_fua(const struct scsi_cmd *cmd);
/*
 * Returns TCMUR_IO_FUA if the write must be on stable storage before GOOD, because of FUA in the CDB or WCE =
 * 0.
 */
uint32_t scsi_io_fua(const struct scsi_cmd *cmd);
/* The same for commands without a FUA bit. */
uint32_t scsi_io_write_through(const struct scsi_cmd *cmd);
#endif
