/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that read, write and compare blocks: READ, WRITE, VERIFY, WRITE AND VERIFY, COMPARE AND WRITE
 * and ORWRITE (SBC-4 5.2, 5.11, 5.15 to 5.18, 5.34 to 5.46). The backstore splits I/O, emulates missing
 * operations, and makes them atomic. All Data-Out of a command has arrived when its function runs.
 */
#include "scsi/sbc.h"
#include "scsi/sbc_limits.h"
#include "scsi/scsi_io.h"
#include "util/bytes.h"

/* --- READ ------------------------------------------------------------------------------------ */

static scsi_io_done read_done;

/* Reads into the front end's memory. */
static void read_copied(struct scsi_cmd *cmd)
{
	if (scsi_data_in_room(cmd, (uint64_t)cmd->nblocks << cmd->lu->block_shift))
		scsi_io_data(cmd, BACKSTORE_READ, cmd->lba, cmd->nblocks, 0, read_done);
}

static bool read_can_be_lent(const struct scsi_cmd *cmd)
{
	return cmd->may_lend && (uint64_t)cmd->nblocks << cmd->lu->block_shift >= SBC_LEND_MIN &&
	       backstore_can_lend(cmd->lu->bs);
}

static void read_medium(struct scsi_cmd *cmd)
{
	if (!read_can_be_lent(cmd)) {
		read_copied(cmd);
		return;
	}
	scsi_io_prepare(cmd, BACKSTORE_READ, cmd->lba, cmd->nblocks, 0, read_done);
	cmd->bio.lend = cmd->lent;
	cmd->bio.max_lend = SCSI_LEND_MAX;
	backstore_submit(&cmd->bio);
}

static void read_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	/* The handler cannot lend this range, for example because it consists of too many pieces. */
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
	scsi_io_read(bio, status);
}

static void read_flushed(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	if (status == TCMUR_OK && !cmd->aborted)
		read_medium(cmd);
	else
		scsi_io_complete(bio, status);
}

/*
 * Returns whether the read must be preceded by a flush: with FUA = 1 and a volatile write cache, cached
 * blocks must be on the medium before they are read (SBC-4 5.16).
 */
static bool read_flushes(const struct scsi_cmd *cmd)
{
	return scsi_io_asks_fua(cmd) && cmd->lu->info->write_cache && !scsi_cmd_write_through(cmd) &&
	       backstore_has_flush(cmd->lu->bs);
}

void sbc_read(struct scsi_cmd *cmd)
{
	if (cmd->nblocks == 0)
		scsi_complete(cmd);
	else if (read_flushes(cmd))
		scsi_io(cmd, BACKSTORE_FLUSH, cmd->lba, cmd->nblocks, 0, read_flushed);
	else
		read_medium(cmd);
}

/* --- WRITE and ORWRITE ----------------------------------------------------------------------- */

static void write_blocks(struct scsi_cmd *cmd, enum backstore_op op)
{
	if (cmd->nblocks)
		scsi_io_data(cmd, op, cmd->lba, cmd->nblocks, scsi_io_fua(cmd), scsi_io_written);
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

/* --- COMPARE AND WRITE: the Data-Out is the verify instance, then the write instance ---------- */

bool sbc_compare_data_len(struct scsi_cmd *cmd, uint64_t *len)
{
	*len = 2 * ((uint64_t)cmd->nblocks << cmd->lu->block_shift);
	return true;
}

static void compared(struct backstore_io *bio, enum tcmur_status status)
{
	if (status == TCMUR_READ_ERROR)
		scsi_io_read(bio, status);
	else
		scsi_io_written(bio, status);
}

/* A miscompare reports the offset of the first byte that differs; see scsi_set_status(). */
void sbc_compare_and_write(struct scsi_cmd *cmd)
{
	if (cmd->nblocks > sbc_max_compare_blocks(cmd->lu))
		scsi_fail_cdb(cmd, cmd->op->len_at, -1);
	else if (cmd->nblocks)
		scsi_io_data(cmd, BACKSTORE_COMPARE_AND_WRITE, cmd->lba, cmd->nblocks, scsi_io_fua(cmd),
			     compared);
	else
		scsi_complete(cmd);
}

/* --- VERIFY and WRITE AND VERIFY ------------------------------------------------------------- */

/* BYTCHK, bits 2-1 of byte 1 (SBC-4 5.36). 2 is reserved; for WRITE AND VERIFY, 3 is reserved, too. */
enum verify_bytchk {
	/* The blocks must be readable */
	VERIFY_MEDIUM = 0,
	/* Compares the blocks with the Data-Out */
	VERIFY_COMPARE = 1,
	/* Compares each block with the only block of the Data-Out */
	VERIFY_SAME = 3,
};

static enum verify_bytchk verify_bytchk(const struct scsi_cmd *cmd)
{
	return cmd->cdb[1] >> 1 & 3;
}

bool sbc_verify_data_len(struct scsi_cmd *cmd, uint64_t *len)
{
	switch (verify_bytchk(cmd)) {
	case VERIFY_MEDIUM:
		*len = 0;
		return true;
	case VERIFY_COMPARE:
		*len = (uint64_t)cmd->nblocks << cmd->lu->block_shift;
		return true;
	case VERIFY_SAME:
		*len = cmd->nblocks ? cmd->lu->block_size : 0;
		return true;
	default:
		scsi_check_field(cmd, SENSE_INVALID_FIELD_IN_CDB, 1, 2);
		return false;
	}
}

static void verify_done(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	if (status != TCMUR_MISCOMPARE) {
		scsi_io_read(bio, status);
		return;
	}
	/* INFORMATION contains the LBA, as for a block that cannot be read (SBC-4 4.18.1). */
	scsi_check_info(cmd, SENSE_MISCOMPARE_VERIFY,
			cmd->lba + (bio->io.miscompare_offset >> cmd->lu->block_shift));
	scsi_complete(cmd);
}

void sbc_verify(struct scsi_cmd *cmd)
{
	if (cmd->nblocks == 0)
		scsi_complete(cmd);
	else if (verify_bytchk(cmd) == VERIFY_MEDIUM)
		scsi_io(cmd, BACKSTORE_VERIFY, cmd->lba, cmd->nblocks, 0, verify_done);
	else
		scsi_io_data(cmd, BACKSTORE_VERIFY, cmd->lba, cmd->nblocks, 0, verify_done);
}

static void verify_written(struct backstore_io *bio, enum tcmur_status status)
{
	struct scsi_cmd *cmd = scsi_io_cmd(bio);

	if (status == TCMUR_OK && !cmd->aborted)
		sbc_verify(cmd);
	else
		scsi_io_complete(bio, status);
}

void sbc_write_and_verify(struct scsi_cmd *cmd)
{
	if (verify_bytchk(cmd) != VERIFY_MEDIUM && verify_bytchk(cmd) != VERIFY_COMPARE)
		scsi_fail_cdb(cmd, 1, 2);
	/* The blocks on the medium must be verified, so the write must reach the medium. */
	else if (cmd->nblocks)
		scsi_io_data(cmd, BACKSTORE_WRITE, cmd->lba, cmd->nblocks, TCMUR_IO_FUA, verify_written);
	else
		scsi_complete(cmd);
}
