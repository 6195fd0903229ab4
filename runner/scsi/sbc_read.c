/* SPDX-License-Identifier: Apache-2.0 */
/* READ (6), (10), (12), (16): SBC-4 5.15 to 5.18. */
#include "scsi/sbc.h"
#include "scsi/sbc_io.h"
#include "scsi/sbc_limits.h"

static sbc_io_done read_done;

/* Into the front end's memory. */
static void read_copied(struct scsi_cmd *cmd)
{
	if (scsi_data_in_room(cmd, (uint64_t)cmd->nblocks << cmd->lu->block_shift))
		sbc_io_data(cmd, BACKSTORE_READ, cmd->lba, cmd->nblocks, 0, read_done);
}

static bool may_lend(const struct scsi_cmd *cmd)
{
	return cmd->may_lend && (uint64_t)cmd->nblocks << cmd->lu->block_shift >= SBC_LEND_MIN &&
	       backstore_can_lend(cmd->lu->bs);
}

static void read_medium(struct scsi_cmd *cmd)
{
	if (!may_lend(cmd)) {
		read_copied(cmd);
		return;
	}
	sbc_io_prepare(cmd, BACKSTORE_READ, cmd->lba, cmd->nblocks, 0, read_done);
	cmd->bio.lend = cmd->lent;
	cmd->bio.max_lend = SCSI_LEND_MAX;
	backstore_submit(&cmd->bio);
}

static void read_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	/* This range cannot be lent after all, e.g. it lies in too many pieces. */
	if (status == TCMUR_NO_RESOURCE && bio->lend && !cmd->aborted) {
		read_copied(cmd);
		return;
	}
	if (status == TCMUR_OK) {
		if (bio->nlent) {
			cmd->iov = cmd->lent;
			cmd->iovcnt = bio->nlent;
		}
		cmd->data_in_len = bio->io.len;
	}
	sbc_io_complete(bio, status);
}

static void read_flushed(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = sbc_io_cmd(bio);

	if (status == TCMUR_OK && !cmd->aborted)
		read_medium(cmd);
	else
		sbc_io_complete(bio, status);
}

/* FUA = 1 with a volatile write cache: what the cache has is on the medium before it is read (SBC-4 5.16). */
static bool read_flushes(const struct scsi_cmd *cmd)
{
	return sbc_io_asks_fua(cmd) && cmd->lu->info->write_cache && !scsi_cmd_write_through(cmd) &&
	       backstore_has_flush(cmd->lu->bs);
}

void sbc_read(struct scsi_cmd *cmd)
{
	if (cmd->nblocks == 0)
		scsi_complete(cmd);
	else if (read_flushes(cmd))
		sbc_io(cmd, BACKSTORE_FLUSH, cmd->lba, cmd->nblocks, 0, read_flushed);
	else
		read_medium(cmd);
}
