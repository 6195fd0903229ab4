/* SPDX-License-Identifier: Apache-2.0 */
/* How block commands use the one struct backstore_io that each of them embeds. All on the command's loop. */
#ifndef SCSI_SBC_IO_H
#define SCSI_SBC_IO_H

#include "scsi/cmd.h"

typedef void sbc_io_done(struct backstore_io *bio, enum tcmur_status status);

/* Fills cmd->bio with op on nblocks from lba, without memory; flags are TCMUR_IO_*. backstore_submit() is
 * next. */
void sbc_io_prepare(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks,
		    uint32_t flags, sbc_io_done *done);
/* The same and submits it. done may run inside, and nesting is the backstore's care. */
void sbc_io(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
	    sbc_io_done *done);
/* The same with the memory of cmd->iov. */
void sbc_io_data(struct scsi_cmd *cmd, enum backstore_op op, uint64_t lba, uint64_t nblocks, uint32_t flags,
		 sbc_io_done *done);

static inline struct scsi_cmd *sbc_io_cmd(struct backstore_io *bio)
{
	return bio->owner;
}

/* The done of a command's last I/O: its status is the command's. */
void sbc_io_complete(struct backstore_io *bio, enum tcmur_status status);
/* The same for an I/O that writes. */
void sbc_io_written(struct backstore_io *bio, enum tcmur_status status);

/* FUA in the CDB; those of 6 bytes have none. */
bool sbc_io_asks_fua(const struct scsi_cmd *cmd);
/* TCMUR_IO_FUA if the write must be on stable storage before GOOD: FUA in the CDB, WCE = 0. */
uint32_t sbc_io_fua(const struct scsi_cmd *cmd);
uint32_t sbc_io_write_through(const struct scsi_cmd *cmd);

/*
 * The blocks whose data arrived. An initiator may send less than its CDB asks for; it is then told so by a
 * residual overflow with GOOD, and what it sent is used as far as it makes whole blocks, as Linux's target
 * does. Shortens cmd->iov to these blocks.
 */
uint32_t sbc_io_blocks_arrived(struct scsi_cmd *cmd);
/* For commands that make no sense with other than their exact Data-Out: true if all of it came and no more
 * was offered; else the command was completed, the length field at this byte of the CDB being at fault. */
bool sbc_io_exact(struct scsi_cmd *cmd, unsigned len_at);
#endif
