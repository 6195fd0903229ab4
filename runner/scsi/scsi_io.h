/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions with which a command uses the struct backstore_io that it embeds. All functions run on the
 * command's loop.
 */
#ifndef SCSI_SCSI_IO_H
#define SCSI_SCSI_IO_H

#include "scsi/cmd.h"

typedef void scsi_io_done(struct backstore_io *bio, enum tcmur_status status);

/*
 * Fills cmd->bio for the operation op on nblocks blocks from lba on, without a data buffer. flags are
 * TCMUR_IO_*. The caller then calls backstore_submit().
 */
void scsi_io_prepare(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks,
		     uint32_t flags, scsi_io_done *done);
/* Prepares and submits I/O. The callback done may run before the function returns. */
void scsi_io(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
	     scsi_io_done *done);
/* Does the same as scsi_io(), with cmd->iov as the data buffer. */
void scsi_io_data(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
		  scsi_io_done *done);
/* Flushes everything that was written so far, if the storage has a volatile cache. */
void scsi_io_flush(struct scsi_cmd *cmd, scsi_io_done *done);

static inline struct scsi_cmd *scsi_io_cmd(struct backstore_io *bio)
{
	return bio->owner;
}

/*
 * The done function for the last I/O of a command: sets the status of the command according to the status of
 * the I/O.
 */
void scsi_io_complete(struct backstore_io *bio, enum tcmur_status status);
/* A done function for I/O that writes. It flushes a volatile cache first if the command demands this. */
void scsi_io_written(struct backstore_io *bio, enum tcmur_status status);
/*
 * A done function for I/O that reads the blocks of the command. After a medium error it finds the first bad
 * block, and a READ returns the blocks before it (read_error.c).
 */
void scsi_io_read(struct backstore_io *bio, enum tcmur_status status);

/* Returns the FUA bit of the CDB; CDBs of 6 bytes have none. */
bool scsi_io_asks_fua(const struct scsi_cmd *cmd);
/*
 * Returns TCMUR_IO_FUA if written data must be on stable storage before the command ends with GOOD: the CDB
 * has the FUA bit, or the disk has no write cache (WCE = 0). Returns 0 otherwise.
 */
uint32_t scsi_io_fua(const struct scsi_cmd *cmd);
/*
 * Does the same for commands whose CDB has no FUA bit: returns TCMUR_IO_FUA if the disk has no write cache.
 */
uint32_t scsi_io_write_through(const struct scsi_cmd *cmd);
#endif
